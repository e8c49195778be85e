/** A worker module for tests of streams. Its handlers also run in the process of a test. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { defineWorker, event, type Handlers } from '../../src/index.ts';

/** What the handlers have done. */
const state = { pulled: 0, read: 0, ended: 0, failed: '' };

/** Returns `size` bytes in buffers of 10,000 bytes, each with its number. */
export function* bytesOf(size: number): Generator<Buffer> {
  for (let from = 0; from < size; from += 10_000) {
    yield Buffer.alloc(Math.min(10_000, size - from), `${from},`);
  }
}

export const handlers: Handlers = {
  'stream.state': () => state,
  'stream.down': async function* (size: number) {
    try {
      for (const bytes of bytesOf(size)) {
        state.pulled += bytes.length;
        yield bytes;
      }
    } finally {
      state.ended += 1;
    }
  },
  'stream.up': async (_data: unknown, { body }) => {
    const hash = createHash('sha256');
    for await (const chunk of body) {
      state.read += chunk.length;
      hash.update(chunk);
    }
    return hash.digest('hex');
  },
  'stream.unread': async (_data: unknown, { body, signal }) => {
    try {
      for await (const chunk of body) {
        state.read += chunk.length;
        await once(signal, 'abort');
      }
    } catch (error) {
      state.failed = (error as Error).name;
      throw error;
    }
    return null;
  },
  'stream.watch': async function* (_data: unknown, { signal }) {
    yield event({ data: 'watching' });
    await once(signal, 'abort');
  },
  'stream.die': async function* (_data: unknown, { body }) {
    yield 'last words';
    for await (const _ of body) process.exit(7);
  },
};

export default defineWorker({ handlers });
