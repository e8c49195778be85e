/** Reads replies that arrive in classic frames. */

import { failure, type ReplyMessage } from '../../core/messages/message.ts';
import type { DropCause } from '../../core/observability/diagnostics.ts';
import { type ClassicFrames, toReply } from '../../wire/classic.ts';
import { isJson } from '../../wire/json-check.ts';
import { isJsonType } from '../../wire/metadata.ts';
import type { WorkerPeer } from './worker-peer.ts';

/**
 * Reads the reply of a worker in classic frames.
 *
 * @param report called with the cause of each problem of the frames.
 */
export function readPlainReply(
  peer: Pick<WorkerPeer, 'native' | 'packs'>,
  frames: ClassicFrames,
  report: (cause: DropCause) => void,
): ReplyMessage {
  const { message, broken, badJson } = toReply(frames);
  if (broken) report('bad-metadata');
  if (!badJson && (frames.metadata === undefined || isSound(peer, message))) return message;
  report('bad-json');
  return failure('BAD_REPLY', 'the reply of the worker is not JSON');
}

/**
 * Whether the body of a reply with metadata is as its media type says. Nodes that pack write valid
 * JSON. Python writes NaN, for example.
 */
function isSound(
  { packs, native }: Pick<WorkerPeer, 'native' | 'packs'>,
  { contentType, body }: ReplyMessage,
): boolean {
  if (packs || (native && !isJsonType(contentType))) return true;
  return isJson(body);
}
