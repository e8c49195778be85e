/**
 * Times of a request for callers that ask for them: `timing` in the extras of request and reply.
 */
import type { ReplyExtras, ReplyMessage, RequestExtras, RequestMessage } from '../core/messages/message.ts';
import { MAX_METADATA } from '../wire/limits.ts';

const KEY = '"timing"';

/** Measures the times of one request. */
export class RequestTiming {
  private readonly arrivedAt = performance.now();
  private startedAt: number | undefined;

  /**
   * @param transitTime milliseconds from the caller to this node: in router queues and on the network.
   */
  private constructor(private readonly transitTime: number) {}

  /** Starts measuring; undefined when the caller did not ask. */
  static of({ extras, timeLeft }: RequestMessage): RequestTiming | undefined {
    if (extras.length === 0 || !extras.includes(KEY)) return undefined;
    const { timing } = parse<RequestExtras>(extras);
    return typeof timing === 'number' && timing > 0
      ? new RequestTiming(Math.max(0, timing - timeLeft))
      : undefined;
  }

  /** Records the start of the handler. */
  start(): void {
    this.startedAt = performance.now();
  }

  /** Adds the times to a reply if there is room for them. */
  addTo(reply: ReplyMessage): ReplyMessage {
    const now = performance.now();
    const startedAt = this.startedAt ?? now;
    const timing = { queue: this.transitTime + startedAt - this.arrivedAt, handler: now - startedAt };
    const extras = Buffer.from(JSON.stringify({ ...parse<ReplyExtras>(reply.extras), timing }));
    return extras.length > MAX_METADATA ? reply : { ...reply, extras };
  }
}

function parse<T extends object>(bytes: Buffer): Partial<T> {
  if (bytes.length === 0) return {};
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
