/** A requester without a network. It calls handlers by event name and records the requests. */
import {
  type InFlight,
  NO_BYTES,
  type OutgoingRequest,
  type ReplyExtras,
  type ReplyMessage,
  type Requester,
} from '../../../src/core/messages/message.ts';
import { WITHOUT_STREAM } from '../../../src/core/messages/stream.ts';

/** A handler returns a value or a complete reply. */
export type FakeHandler = (data: never, request: OutgoingRequest) => unknown;

/** Returns a reply as a native worker sends it. */
export function replyOf(
  data: unknown,
  options: {
    status?: number;
    headers?: ReplyExtras['headers'];
    timing?: ReplyExtras['timing'];
    contentType?: string;
  } = {},
): ReplyMessage {
  const { status = 200, headers, timing, contentType = '' } = options;
  const extras =
    headers === undefined && timing === undefined
      ? NO_BYTES
      : Buffer.from(JSON.stringify({ headers, timing }));
  const body = Buffer.isBuffer(data) ? data : Buffer.from(JSON.stringify(data ?? null));
  return { status, code: '', dispatched: true, more: false, contentType, extras, body };
}

/** Result of a handler that never replies. */
export const SILENCE = Symbol('silence');

export class FakeRequester implements Requester {
  reachable = true;
  readonly requests: OutgoingRequest[] = [];
  readonly cancelled: OutgoingRequest[] = [];
  /** Called at each cancellation. */
  onCancel: (() => void) | undefined;

  constructor(readonly handlers: Record<string, FakeHandler> = {}) {}

  /** Event data of the last request, as a worker reads it. */
  get data(): unknown {
    return JSON.parse(this.text);
  }

  /** Event data of the last request, as text. */
  get text(): string {
    return this.requests.at(-1)?.body.toString() ?? '';
  }

  request(request: OutgoingRequest, settle: (reply: ReplyMessage) => void): InFlight {
    this.requests.push(request);
    let cancelled = false;
    setImmediate(() => {
      void this.answer(request).then((reply) => {
        if (!cancelled && reply !== undefined) settle(reply);
      });
    });
    return {
      ...WITHOUT_STREAM,
      cancel: () => {
        cancelled = true;
        this.cancelled.push(request);
        this.onCancel?.();
      },
    };
  }

  private async answer(request: OutgoingRequest): Promise<ReplyMessage | undefined> {
    const handler = this.handlers[request.eventName];
    if (handler === undefined) return replyOf(JSON.parse(request.body.toString()));
    const result = await handler(JSON.parse(request.body.toString()) as never, request);
    if (result === SILENCE) return undefined;
    return isReply(result) ? result : replyOf(result);
  }
}

function isReply(value: unknown): value is ReplyMessage {
  return typeof value === 'object' && value !== null && 'code' in value && 'extras' in value;
}
