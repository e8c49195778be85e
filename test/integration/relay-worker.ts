/** A worker module for tests of calls with streams. Its handlers pass on those of stream-worker.ts. */
import { defineWorker, type Handlers, ReplyError, reply, stream } from '../../src/index.ts';

export const handlers: Handlers = {
  'relay.down': async (size: number, context) => {
    const source = await context.stream('stream.down', size);
    return stream(source.bytes(), { contentType: source.contentType });
  },
  'relay.up': async (_data: unknown, context) => {
    const { body } = context;
    const stored = await context.stream<string>('stream.up', null, { body });
    for await (const sum of stored) return reply(stored.status, sum);
    throw new ReplyError(502, 'NO_SUM', 'the callee sent nothing');
  },
};

export default defineWorker({ handlers });
