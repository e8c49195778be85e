/** Handlers that report progress. */
import { setTimeout as sleep } from 'node:timers/promises';
import { defineWorker, type HandlerContext } from '../../src/index.ts';

/** Longer than the minimum time between two reports. */
const STEP = 130;

function messageOf(run: () => void): string {
  try {
    run();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

export const handlers = {
  'progress.steps': async (_data: unknown, { progress }: HandlerContext) => {
    for (const done of [1, 2]) {
      progress({ done });
      await sleep(STEP);
    }
    // The last report is sent before the reply, however soon that follows.
    progress({ done: 3 });
    return 'done';
  },
  'progress.call': async (_data: unknown, { call }: HandlerContext) => {
    const received: unknown[] = [];
    const reply = await call('progress.steps', null, { onProgress: (value) => void received.push(value) });
    const silent = await call('progress.flood');
    return [received, reply, silent];
  },
  'progress.flood': async (_data: unknown, { progress }: HandlerContext) => {
    await sleep(1);
    for (let done = 0; done < 10_000; done++) progress(done);
    await sleep(STEP);
    return 'done';
  },
  'progress.invalid': (_data: unknown, { progress }: HandlerContext) => {
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    return [messageOf(() => progress('x'.repeat(20_000))), messageOf(() => progress(cyclic))];
  },
};

export default defineWorker({ handlers });
