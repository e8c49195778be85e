/** Requests in messages that never left for their worker. */
import type { Messages } from '../../transport/link/peer-channel.ts';
import { isPacked, type PackedSink, readPacked } from '../../wire/packed.ts';
import { isToken, tokenGeneration, tokenId } from '../../wire/token.ts';

/** Called for each request with the key under which the worker would have held it. */
export type UndeliveredRequest = (id: number, generation: number) => void;

/** Finds the requests in messages as a ROUTER was given them: the first frame is the worker's identity. */
export function findUndelivered(messages: Messages, found: UndeliveredRequest): void {
  const sink: PackedSink = {
    packedRequest: (id, generation) => found(id, generation),
    packedReply: () => undefined,
    packedCancel: () => undefined,
  };
  for (const frames of messages) {
    const first = frames[1];
    if (first === undefined) continue;
    if (isPacked(first)) readPacked(frames, 1, sink);
    else if (isToken(first)) found(tokenId(first), tokenGeneration(first));
  }
}
