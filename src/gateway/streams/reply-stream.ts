/** Writes the chunks of a reply to its client, and grants the worker what the client has taken. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { chunkCost } from '../../core/messages/stream.ts';
import { type WindowBudget, WindowGrowth } from '../../core/messages/window-growth.ts';
import type { StreamTotals } from '../context/open-streams.ts';

/** Minimum size of a chunk after which its end is awaited, in bytes. */
const AWAITED = 16 * 1024;

/** How long a client may take to read the last bytes of a stream that was cut off, in ms. */
const LAST_BYTES = 5000;

/** Where a reply is written. */
export interface StreamTarget {
  readonly res: ServerResponse;
  readonly socket: Socket;
  readonly totals: StreamTotals;
  /** Bytes by which the windows of all streams may be widened. */
  readonly budget: WindowBudget;
  /** How long a client may read nothing, in ms. */
  readonly silence: number;
  /** Lets the worker send more. */
  readonly grant: (bytes: number) => void;
}

/** How long a stream may be silent, in ms. */
export interface StreamSilence {
  readonly streamIdleTimeout: number;
  readonly keepAliveComment: number;
}

/** What is wrong with a chunk, for the problem of the stream. */
export type Fault = string | undefined;

/**
 * A reply of bytes or lines whose head is written. The socket takes as much as its buffer holds. The
 * worker gets a grant only for what has left it, so a client that reads slowly stops the worker.
 */
export class ReplyStream {
  /** Body bytes written for the client. */
  sent = 0;
  /** When the last chunk was written, by `performance.now()`. */
  writtenAt: number = performance.now();
  /** Whether the client has to read before the worker may send more. */
  stalled = false;
  /** Bytes of the window that the worker has used, and those granted in return. */
  private used = 0;
  private granted = 0;
  private growth: WindowGrowth;
  /** The chunk that completes the content length. It waits until the worker has ended the reply. */
  private completing: Buffer | undefined;
  private readonly flush: (() => void) | undefined;

  /** @param length content length that the worker announced; undefined if it is not known. */
  constructor(
    protected readonly target: StreamTarget,
    private readonly length: number | undefined,
  ) {
    const { res, socket, budget } = target;
    this.growth = new WindowGrowth(budget);
    res.on('drain', this.onDrain);
    // The stream has its own timeouts.
    socket.setTimeout(0);
    // The middleware `compression` of a host holds bytes back until it is flushed.
    const { flush } = res as { flush?: unknown };
    this.flush = typeof flush === 'function' ? () => (flush as () => void).call(res) : undefined;
  }

  /**
   * Takes a chunk from the worker.
   * @returns what is wrong with the chunk; the stream must then be cut off.
   */
  chunk(body: Buffer): Fault {
    const { totals } = this.target;
    totals.replyChunks += 1;
    totals.replyBytes += body.length;
    this.used += chunkCost(body);
    return this.take(body);
  }

  /**
   * Takes the last bytes from the worker and ends the response.
   * @returns what is wrong with the reply; the stream must then be cut off.
   */
  end(body: Buffer): Fault {
    this.target.totals.replyBytes += body.length;
    const fault = this.take(body);
    if (fault !== undefined) return fault;
    const { completing } = this;
    const total = this.sent + (completing?.length ?? 0);
    if (this.length !== undefined && total !== this.length) return this.mismatch(total);
    if (completing !== undefined) this.write(completing);
    this.finish();
    return undefined;
  }

  /**
   * Ends the response after a failure, so that the client notices that it is not complete.
   * @param _problem the problem as JSON.
   */
  fail(_problem: Buffer): void {
    this.cut();
  }

  /**
   * Called about once a second.
   * @returns what has taken too long; the stream must then be ended with a failure.
   */
  checkSilence(now: number, { streamIdleTimeout }: StreamSilence): Fault {
    if (!this.isSilent(now, streamIdleTimeout)) return undefined;
    return `The worker sent nothing for ${streamIdleTimeout} ms.`;
  }

  /**
   * Ends the response because the gateway drains, if the client can continue elsewhere.
   * @param _delay after which the client connects again, in ms.
   * @returns whether the response has ended.
   */
  drain(_delay: number): boolean {
    return false;
  }

  /** Whether the response was to end after the current event, and has. */
  endIfAsked(): boolean {
    return false;
  }

  /** Cuts the response off, so that the client notices that it is not complete. */
  protected cut(): void {
    const { res, socket } = this.target;
    this.stop();
    if (res.socket === null) {
      // The response waits behind an earlier one of the connection.
      res.once('socket', (given: Socket) => given.destroy());
      return;
    }
    // Without a length and chunks, the end of the connection would be the end of the body.
    if (this.length === undefined && !isChunked(res)) socket.resetAndDestroy();
    else {
      socket.setTimeout(LAST_BYTES, () => socket.destroy());
      socket.destroySoon();
    }
  }

  /** A new worker continues the stream: it starts with a window of its own. */
  restart(): void {
    this.used = 0;
    this.granted = 0;
    this.growth.release();
    this.growth = new WindowGrowth(this.target.budget);
  }

  /** The exchange has ended. */
  release(): void {
    this.growth.release();
  }

  /** Whether the worker has been silent, and not the client slow. */
  protected isSilent(now: number, limit: number): boolean {
    return !this.stalled && now - this.writtenAt > limit;
  }

  protected take(body: Buffer): Fault {
    const { length } = this;
    if (length !== undefined && body.length > 0) {
      const total = this.sent + (this.completing?.length ?? 0) + body.length;
      if (total > length) return this.mismatch(total);
      if (total === length) {
        this.completing = body;
        return undefined;
      }
    }
    this.write(body);
    return undefined;
  }

  protected write(body: Buffer): void {
    const { res, socket, totals, silence } = this.target;
    this.writtenAt = performance.now();
    if (body.length > 0) {
      this.sent += body.length;
      const isTaken = body.length < AWAITED ? res.write(body) : res.write(body, this.onTaken);
      this.flush?.();
      if (!isTaken && !this.stalled) {
        this.stalled = true;
        totals.replyStalls += 1;
        socket.setTimeout(silence);
      }
    }
    this.grantTaken();
  }

  protected finish(): void {
    this.stop();
    this.target.socket.setTimeout(this.target.silence);
    this.target.res.end();
  }

  private stop(): void {
    this.target.res.off('drain', this.onDrain);
    this.granted = Infinity;
  }

  private mismatch(total: number): string {
    return `The worker announced ${this.length} bytes and sent ${total}${total > (this.length ?? 0) ? ' or more' : ''}.`;
  }

  private readonly onDrain = (): void => {
    this.stalled = false;
    this.writtenAt = performance.now();
    this.target.socket.setTimeout(0);
    this.grantTaken();
  };

  private readonly onTaken = (): void => this.grantTaken();

  /** Bytes that the connection has not taken. */
  private get unsent(): number {
    return this.target.res.writableLength;
  }

  private grantTaken(): void {
    const { unsent } = this;
    const due = this.used - Math.min(this.used, unsent) - this.granted;
    if (due < this.growth.step) return;
    this.granted += due;
    const bytes = this.growth.grantFor(due, unsent);
    if (bytes > 0) this.target.grant(bytes);
  }
}

function isChunked(res: ServerResponse): boolean {
  return (res as { chunkedEncoding?: boolean }).chunkedEncoding === true;
}
