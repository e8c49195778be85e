/** A request from the router's process (embedded mode): its own origin, and the caller's handle. */
import {
  type InFlight,
  type ReplyMessage,
  type RequestMessage,
  type Settle,
  type StreamPort,
  settleSafely,
} from '../../core/messages/message.ts';
import { isProgress } from '../../core/messages/progress.ts';
import { type Flushable, flushAtEndOfTurn, turnNow } from '../../transport/link/turn.ts';
import type { Broker } from '../broker/broker.ts';
import type { Origin, RouterRequest } from '../broker/request.ts';

export class EmbeddedRequest implements Origin, InFlight, Flushable {
  private readonly request: RouterRequest;
  private submitted = false;
  private early: ReplyMessage | undefined;

  constructor(
    private readonly broker: Broker,
    message: RequestMessage,
    private readonly onReply: Settle,
    private readonly stream?: StreamPort,
    private readonly rearmTimer?: () => void,
  ) {
    this.request = broker.submit(message, this, turnNow());
    this.submitted = true;
  }

  /** All embedded requests count as one client for fairness. */
  get client(): object {
    return this.broker;
  }

  get dispatched(): boolean {
    return this.request.attempts > 0;
  }

  grant(bytes: number): void {
    this.broker.streams.grantReply(this.request, bytes, turnNow());
  }

  sendChunk(body: Buffer, end: boolean): void {
    this.broker.streams.body(this.request, body, end, turnNow());
    this.rearmTimer?.();
  }

  window(_request: RouterRequest, bytes: number): void {
    this.stream?.onWindow(bytes);
  }

  cancel(): void {
    this.early = undefined;
    this.broker.cancel(this.request);
  }

  settle(_pending: RouterRequest, reply: ReplyMessage): void {
    if (reply.more) {
      if (isProgress(reply)) settleSafely(this.onReply, reply);
      else this.stream?.onChunk(reply);
      return;
    }
    if (this.submitted) {
      settleSafely(this.onReply, reply);
      return;
    }
    // The request was settled before the caller has its handle, so the reply follows at the end of
    // the turn.
    this.early = reply;
    flushAtEndOfTurn(this);
  }

  flush(): void {
    const { early } = this;
    this.early = undefined;
    if (early !== undefined) settleSafely(this.onReply, early);
  }
}

/** A request that is rejected before it reaches the broker. */
export class RefusedRequest implements InFlight, Flushable {
  private cancelled = false;

  constructor(
    private readonly reply: ReplyMessage,
    private readonly onReply: Settle,
  ) {
    flushAtEndOfTurn(this);
  }

  cancel(): void {
    this.cancelled = true;
  }

  grant(): void {
    // Nothing follows the refusal.
  }

  sendChunk(): void {
    // Nothing takes the body.
  }

  flush(): void {
    if (!this.cancelled) settleSafely(this.onReply, this.reply);
  }
}
