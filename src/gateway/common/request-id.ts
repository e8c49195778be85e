/** Request ids, and the trace context of callers (W3C Trace Context). */
import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { RequestExtras } from '../../core/messages/message.ts';

const REQUEST_ID = /^[\w.~:@+/=-]{1,128}$/;
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:-.*)?$/;
const TRACESTATE = /^[\x20-\x7e]{1,512}$/;

/** Creates request ids that are unique among processes: a random prefix and a counter. */
export class RequestIds {
  private readonly prefix = `${randomBytes(9).toString('base64url')}-`;
  private count = 0;

  /** The id that the caller sent, if it is valid, or a new one. */
  next(given: string | string[] | undefined): string {
    if (typeof given === 'string' && REQUEST_ID.test(given)) return given;
    this.count += 1;
    return this.prefix + this.count.toString(36);
  }
}

/** The trace context of the caller; undefined if it is missing or not valid. */
export function traceContext(headers: IncomingHttpHeaders): RequestExtras | undefined {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent !== 'string' || traceparent.length > 512 || !TRACEPARENT.test(traceparent))
    return undefined;
  if (typeof tracestate !== 'string' || !TRACESTATE.test(tracestate)) return { traceparent };
  return { traceparent, tracestate };
}
