/** Reads requests in classic frames, from classic routers. */
import { failure, NO_BYTES, type ReplyMessage, type RequestMessage } from '../core/messages/message.ts';
import type { DropCause } from '../core/observability/diagnostics.ts';
import { MalformedFrames, readClassic, replyFrames, toRequest } from '../wire/classic.ts';

/** Receives requests in classic frames. */
export interface ClassicRequestSink {
  /** Sends frames to the router. */
  post(frames: Buffer[]): void;
  /** Counts a dropped message. */
  drop(cause: DropCause): void;
  /** @param send sends the reply. */
  runClassic(message: RequestMessage, send: (reply: ReplyMessage) => void): void;
}

/** Reads a request. Its reply returns the frames before the delimiter. */
export function readClassicRequest(frames: Buffer[], sink: ClassicRequestSink): void {
  const classic = readClassic(frames, 0);
  if (classic instanceof MalformedFrames) {
    sink.drop(classic.cause);
    if (classic.cause !== 'bad-event-name' || classic.envelope === undefined) return;
    const reply = failure('MALFORMED_MESSAGE', classic.message);
    sink.post([...classic.envelope, NO_BYTES, ...replyFrames('response', reply, 'none')]);
    return;
  }
  if (!classic.delimited || classic.envelope.length === 0) return sink.drop('no-delimiter');
  const { message, native, broken } = toRequest(classic);
  if (broken) sink.drop('bad-metadata');
  const { envelope, eventName } = classic;
  // The reply must not offer packed messages: the node that sent the request may only forward
  // frames.
  sink.runClassic(message, (reply) =>
    sink.post([...envelope, NO_BYTES, ...replyFrames(eventName, reply, native ? 'plain' : 'none')]),
  );
}
