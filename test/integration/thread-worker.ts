/** A worker module for tests of threads. Its threads report on the channel `thread-worker`. */
import { execFileSync } from 'node:child_process';
import { threadId } from 'node:worker_threads';
import Joi from 'joi';
import { defineContract, defineWorker, ReplyError, reply } from '../../src/index.ts';

const channel = new BroadcastChannel('thread-worker').unref();
const tell = (what: string, data: unknown = null): void => channel.postMessage({ what, data, threadId });

const contract = defineContract({
  name: 'threads',
  events: {
    'thread.double': { data: Joi.object({ n: Joi.number().required() }) },
    'thread.id': {},
    'thread.created': {},
    'thread.refused': {},
    'thread.large': {},
    'thread.hold': {},
    'thread.hang': { stallTimeout: 1000 },
    'thread.crash': {},
    'thread.exit': {},
    'thread.spin': {},
    'thread.block': {},
    'thread.native': {},
  },
});

/** Waits for the message on the channel. */
function word(expected: string): Promise<void> {
  const listener = new BroadcastChannel('thread-worker');
  return new Promise((resolve) => {
    listener.onmessage = ({ data }) => {
      if ((data as { what: string }).what !== expected) return;
      listener.close();
      resolve();
    };
  });
}

export default defineWorker({
  contract,
  concurrency: 5,
  handlers: {
    'thread.double': ({ n }: { n: number }) => n * 2,
    'thread.id': () => threadId,
    'thread.created': () => reply(201, { id: 1 }, { location: '/x/1' }),
    'thread.refused': () => {
      throw new ReplyError(409, 'TAKEN', 'it is taken', { details: { by: 'me' } });
    },
    'thread.large': (data: unknown) => data,
    'thread.hold': async (data: unknown, { signal }: { signal: AbortSignal }) => {
      signal.addEventListener('abort', () => tell('aborted', data));
      const goOn = word('go on');
      tell('holding', data);
      await goOn;
      return data;
    },
    'thread.hang': () => {
      tell('hanging');
      return new Promise(() => undefined);
    },
    'thread.crash': () => {
      setImmediate(() => {
        throw new Error('planted');
      });
      return new Promise(() => undefined);
    },
    'thread.exit': () => process.exit(7),
    'thread.spin': () => {
      tell('spinning');
      for (;;);
    },
    'thread.native': () => {
      execFileSync('sleep', ['5']);
    },
    'thread.block': (ms) => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(ms));
      return threadId;
    },
  },
  onStart: () => tell('started'),
  onStop: () => tell('stopped'),
});
