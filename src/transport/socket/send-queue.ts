/**
 * Sends messages on a socket of zeromq.js one after the other. Sends must not overlap: zeromq.js
 * throws EBUSY while a send waits, and makes one wait after 512 in a turn.
 */
import type { Dealer, Router } from 'zeromq';
import { Ring } from '../../core/collections/ring.ts';
import { toError } from '../../core/messages/errors.ts';
import { codeOf } from './bind.ts';
import type { Refusal, SendHandler } from './socket-options.ts';

interface Outgoing {
  readonly frames: Buffer[];
  readonly handler: SendHandler;
}

export class SendQueue {
  private readonly queue = new Ring<Outgoing>();
  /** The queue is drained once the last send has ended. */
  private waiting = false;
  private last: Promise<void> = Promise.resolve();
  private onEnd: (() => void) | undefined;

  constructor(private readonly raw: Router | Dealer) {}

  /** Sends a message, in order. Calls `handler` if libzmq refuses it. */
  send(frames: Buffer[], handler: SendHandler): void {
    if (this.waiting || !this.trySend(frames, handler)) this.enqueue(frames, handler);
  }

  /** Calls `onEnd` once libzmq has all messages. No message may be sent after this call. */
  end(onEnd: () => void): void {
    this.onEnd = onEnd;
    if (!this.waiting) this.ended();
  }

  /** The last send may still be in progress: zeromq.js defers some to the next turn. */
  private ended(): void {
    void this.last.then(this.onEnd);
  }

  /** Passes a message to libzmq; false while zeromq.js is busy with another one. */
  private trySend(frames: Buffer[], handler: SendHandler): boolean {
    let sent: Promise<void>;
    try {
      sent = this.raw.send(frames);
    } catch (error) {
      if (codeOf(error) === 'EBUSY') return false;
      callSafely(() => handler.refused(frames, refusalOf(error)));
      return true;
    }
    const failed = (error: unknown): void => callSafely(() => handler.refused(frames, refusalOf(error)));
    this.last = handler.sent === undefined ? sent.catch(failed) : sent.then(() => handler.sent?.(), failed);
    return true;
  }

  private enqueue(frames: Buffer[], handler: SendHandler): void {
    this.queue.push({ frames, handler });
    if (this.waiting) return;
    this.waiting = true;
    void this.last.then(() => this.drain());
  }

  private drain(): void {
    this.waiting = false;
    for (let item = this.queue.shift(); item !== undefined; item = this.queue.shift()) {
      if (!this.trySend(item.frames, item.handler)) {
        this.queue.unshift(item);
        this.waiting = true;
        void this.last.then(() => this.drain());
        return;
      }
    }
    if (this.onEnd !== undefined) this.ended();
  }
}

/** Calls a handler. An error in it must not affect the messages that follow. */
function callSafely(call: () => void): void {
  try {
    call();
  } catch (error) {
    process.emitWarning(toError(error), { code: 'ZEROMQ_GATEWAY_SENDER' });
  }
}

function refusalOf(error: unknown): Refusal {
  const code = codeOf(error);
  return code === 'EAGAIN' || code === 'EHOSTUNREACH' ? code : 'CLOSED';
}
