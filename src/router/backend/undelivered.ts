/** Finds requests in messages that were never sent to their worker. */
import type { Messages } from '../../transport/link/peer-channel.ts';
import { isPacked, type PackedSink, readPacked } from '../../wire/packed.ts';
import { isToken, tokenGeneration, tokenId } from '../../wire/token.ts';
import type { Broker } from '../broker/broker.ts';
import type { Worker } from '../broker/worker.ts';

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

/** Requeues the requests of a worker in messages that were never sent to it. */
export function requeueUndelivered(
  broker: Broker,
  worker: Worker | undefined,
  unsent: Messages,
  now: number,
): void {
  if (worker === undefined) return;
  findUndelivered(unsent, (id, generation) => {
    const request = broker.held(worker, id, generation);
    if (request !== undefined) broker.requeueUnsent(request, now);
  });
}
