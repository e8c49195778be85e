/** Finds requests in messages that were never sent to their worker. */
import type { Messages } from '../../transport/link/peer-channel.ts';
import { isPacked, type PackedSink, readPacked } from '../../wire/packed.ts';
import { isToken, tokenGeneration, tokenId } from '../../wire/token.ts';

/** Receives the key of each request. */
export type UndeliveredRequest = (id: number, generation: number) => void;

/**
 * Finds the requests in messages for a ROUTER socket, whose first frame is the worker's identity.
 */
export function findUndelivered(messages: Messages, found: UndeliveredRequest): void {
  const sink: PackedSink = {
    packedRequest: (id, generation) => found(id, generation),
    packedReply: () => undefined,
    packedCancel: () => undefined,
    // A worker that has granted anything holds its request.
    packedChunk: () => undefined,
    packedWindow: () => undefined,
  };
  for (const frames of messages) {
    const first = frames[1];
    if (first === undefined) continue;
    if (isPacked(first)) readPacked(frames, 1, sink);
    else if (isToken(first)) found(tokenId(first), tokenGeneration(first));
  }
}
