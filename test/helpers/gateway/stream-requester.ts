/** A requester without a network whose replies and request bodies are streams that tests write and read. */
import {
  failure,
  type InFlight,
  NO_BYTES,
  type OutgoingRequest,
  type ReplyMessage,
  type Requester,
  type Settle,
} from '../../../src/core/messages/message.ts';
import type { OutcomeCode } from '../../../src/core/messages/outcome.ts';
import { chunkCost } from '../../../src/core/messages/stream.ts';

/** Head of a streamed reply. */
export interface FakeHead {
  readonly status?: number;
  readonly contentType?: string;
  readonly headers?: Record<string, string>;
}

/** One request, as its worker sees it. */
export class FakeStream {
  cancelled = false;
  /** Bytes that may be sent. */
  window: number;
  /** Bytes of the request body so far. */
  received = 0;
  /** Sizes of the chunks of the request body. */
  readonly chunks: number[] = [];
  bodyEnded = false;
  private readonly parts: Buffer[] = [];
  private isFirst = true;
  private readonly waiters: (() => void)[] = [];

  constructor(
    readonly request: OutgoingRequest,
    private readonly settle: Settle,
  ) {
    this.window = request.stream?.window ?? 0;
  }

  /** The request body so far. */
  get body(): Buffer {
    return Buffer.concat(this.parts);
  }

  /** Waits until a condition about this stream holds. */
  async until(condition: (stream: this) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.waiters.push(resolve));
  }

  /** Sends a chunk once the window is open. */
  async write(body: string | Buffer, head: FakeHead = {}): Promise<void> {
    await this.until(({ window, cancelled }) => window > 0 || cancelled);
    this.send(body, head);
  }

  /** Sends a chunk at once. */
  send(body: string | Buffer, head: FakeHead = {}): void {
    if (this.cancelled) return;
    const bytes = Buffer.from(body);
    this.window -= chunkCost(bytes);
    this.request.stream?.onChunk(this.message(bytes, head, true));
  }

  /** Sends the last bytes. */
  end(body: string | Buffer = NO_BYTES, head: FakeHead = {}): void {
    if (!this.cancelled) this.settle(this.message(Buffer.from(body), head, false));
  }

  /** Ends the request with a failure. */
  fail(code: OutcomeCode, message = 'failed'): void {
    if (!this.cancelled) this.settle(failure(code, message, { dispatched: true }));
  }

  /** Lets the gateway send more of the request body. */
  grantBody(bytes: number): void {
    this.request.stream?.onWindow(bytes);
  }

  /** Takes a part of the request body. */
  takeBody(body: Buffer, end: boolean): void {
    this.chunks.push(body.length);
    this.parts.push(body);
    this.received += body.length;
    this.bodyEnded = end;
    this.changed();
  }

  changed(): void {
    for (const waiter of this.waiters.splice(0)) waiter();
  }

  private message(body: Buffer, head: FakeHead, more: boolean): ReplyMessage {
    const { status = 200, contentType = 'text/event-stream', headers } = head;
    const first = this.isFirst;
    this.isFirst = false;
    return {
      status: first ? status : 200,
      code: '',
      dispatched: true,
      more,
      contentType: first ? contentType : '',
      extras: first && headers !== undefined ? Buffer.from(JSON.stringify({ headers })) : NO_BYTES,
      body,
    };
  }
}

export class StreamRequester implements Requester {
  reachable = true;
  readonly streams: FakeStream[] = [];
  private readonly waiters: ((stream: FakeStream) => void)[] = [];

  /** @param serve called with each request; without it, tests take the requests with `next`. */
  constructor(private readonly serve?: (stream: FakeStream) => unknown) {}

  /** The next request. */
  next(): Promise<FakeStream> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  request(request: OutgoingRequest, settle: Settle): InFlight {
    const stream = new FakeStream(request, settle);
    this.streams.push(stream);
    setImmediate(() => {
      if (stream.cancelled) return;
      this.waiters.shift()?.(stream);
      this.serve?.(stream);
    });
    return {
      cancel: () => {
        stream.cancelled = true;
        stream.changed();
      },
      grant: (bytes) => {
        stream.window += bytes;
        stream.changed();
      },
      sendChunk: (body, end) => stream.takeBody(body, end),
    };
  }
}
