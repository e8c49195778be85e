/** Calls: requests that the handler of a request sends itself (`context.call`). */
import type { Cancellable, InFlight, RequestExtras, RequestMessage, Settle, StreamPort } from './message.ts';

/**
 * Maximum depth of calls: a request of a client has depth 0, a call of its handler depth 1, and so
 * on. Handlers that call each other without end fail there with `LOOP`.
 */
export const MAX_CALL_DEPTH = 16;

/** Where a call comes from. */
export interface CallParent {
  /**
   * Key under which the calling node holds the request whose handler calls. Generation 0: the
   * receiver of the call did not dispatch that request.
   */
  readonly id: number;
  readonly generation: number;
  /** Depth of the call, 1 to {@link MAX_CALL_DEPTH}. */
  readonly depth: number;
}

/** Takes the calls of one handler: the connection that its request came over. */
export interface CallSource {
  /**
   * Sends a call.
   *
   * @param depth depth of the call.
   * @param settle called once with the outcome, unless the call is cancelled; before that, with each
   *   progress, if the message asks for it.
   */
  call(message: RequestMessage, depth: number, settle: Settle): Cancellable;
  /**
   * Sends a call whose reply, or whose body, is a stream.
   *
   * @param settle called once with the last part of the reply, unless the call is cancelled.
   */
  stream(message: RequestMessage, depth: number, settle: Settle, port: StreamPort): InFlight;
}

/** Reads the depth of a request from its extras. */
export function depthOf(extras: Buffer): number {
  if (extras.length === 0 || !extras.includes('"depth"')) return 0;
  const { depth } = readExtras(extras);
  return Number.isInteger(depth) && (depth as number) > 0 ? (depth as number) : 0;
}

/** Parses the extras of a request. Extras that are not a JSON object count as empty. */
export function readExtras(bytes: Buffer): RequestExtras {
  if (bytes.length === 0) return {};
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
