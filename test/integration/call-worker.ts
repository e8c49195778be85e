/** A worker module for tests of calls: `up` and `down` call each other, from a thread or a process. */
import { defineWorker, type HandlerContext, ReplyError } from '../../src/index.ts';

const other =
  (event: string) =>
  async (n: number, { call }: HandlerContext): Promise<string[]> =>
    n === 0 ? [] : [event, ...(await call<string[]>(event, n - 1))];

export default defineWorker({
  concurrency: 1,
  handlers: {
    up: other('down'),
    down: other('up'),
    'up.refused': async (_: null, { call }: HandlerContext) => {
      throw ReplyError.from(await call('refusing').catch((error: unknown) => error));
    },
    'up.held': (data: unknown, { call }: HandlerContext) => call('held', data),
  },
});
