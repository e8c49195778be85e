/** Requests that a router dispatched to a worker, with the calls of their handlers. */
import type { CallSource } from '../core/messages/calls.ts';
import type {
  Cancellable,
  InFlight,
  ReplyMessage,
  RequestMessage,
  Settle,
  StreamPort,
} from '../core/messages/message.ts';
import { isProgress } from '../core/messages/progress.ts';
import type { Execution } from '../runtime/execution.ts';
import type { CreditSharing, Share } from './credit-sharing.ts';
import type { CallLink, WorkerCalls } from './worker-calls.ts';

/** The parts of a worker that calls concern. */
export interface AssignmentOwner {
  readonly credit: CreditSharing;
  readonly calls: WorkerCalls;
}

/**
 * A request of a router. While a call of its handler is in flight, and once its reply is a stream
 * that has begun, it uses no credit.
 */
export class Assignment implements CallSource {
  execution: Execution | undefined;
  private callsInFlight = 0;
  private isStream = false;
  private isCreditless = false;
  private isSuspended = false;

  /**
   * @param id key of the request at the router; generation 0 if it has none.
   * @param share share of the connection on which the request arrived.
   */
  constructor(
    private readonly link: CallLink,
    private readonly owner: AssignmentOwner,
    private readonly share: Share | undefined,
    readonly id: number,
    readonly generation: number,
  ) {}

  call(message: RequestMessage, depth: number, settle: Settle): Cancellable {
    const { owner, link, id, generation } = this;
    const end = this.beginCall();
    const call = owner.calls.start(link, { id, generation, depth }, message, (reply) => {
      end();
      settle(reply);
    });
    return {
      cancel: () => {
        end();
        call.cancel();
      },
    };
  }

  stream(message: RequestMessage, depth: number, settle: Settle, port: StreamPort): InFlight {
    const { owner, link, id, generation } = this;
    const end = this.beginCall();
    const last = (reply: ReplyMessage): void => {
      end();
      settle(reply);
    };
    const call = owner.calls.startStream(link, { id, generation, depth }, message, last, port);
    return {
      cancel: () => {
        end();
        call.cancel();
      },
      grant: (bytes) => call.grant(bytes),
      sendChunk: (body, isLast) => call.sendChunk(body, isLast),
    };
  }

  /**
   * A chunk of its reply, or a progress, is sent. With the first chunk, it gives up its part of the
   * concurrency.
   */
  partSent(part: ReplyMessage): void {
    if (this.isStream || isProgress(part)) return;
    this.isStream = true;
    this.isCreditless = this.owner.credit.streamBegan();
    this.update();
  }

  /** It is answered. */
  ended(): void {
    if (this.isCreditless) this.owner.credit.streamEnded();
    this.isCreditless = false;
    this.update();
  }

  /** Counts a call. Returns a function that ends it. */
  private beginCall(): () => void {
    let inFlight = true;
    this.countCalls(1);
    return () => {
      if (inFlight) this.countCalls(-1);
      inFlight = false;
    };
  }

  private countCalls(change: 1 | -1): void {
    this.callsInFlight += change;
    this.update();
  }

  /** Reports whether it uses any concurrency. */
  private update(): void {
    const suspended = this.callsInFlight > 0 || this.isCreditless;
    if (suspended === this.isSuspended) return;
    this.isSuspended = suspended;
    if (this.share === undefined) return;
    if (suspended) this.owner.credit.requestSuspended(this.share);
    else this.owner.credit.requestResumed(this.share);
  }
}
