/**
 * Round-trip time of a message to a thread when both threads wait in between: the lower bound for
 * the latency of embedded mode.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { MicroSuite } from './task.ts';

/** Echoes each message. */
const ECHO = `const { parentPort } = require('node:worker_threads');
parentPort.on('message', (message) => parentPort.postMessage(message));`;

const MESSAGE = 'x'.repeat(100);

export async function hopsSuite(): Promise<MicroSuite> {
  const thread = new Worker(ECHO, { eval: true });
  await once(thread, 'online');
  return {
    title: 'Threads: a message to one and back',
    tasks: [
      {
        name: 'a message of 100 bytes, there and back',
        units: 1,
        run: async () => {
          thread.postMessage(MESSAGE);
          await once(thread, 'message');
        },
      },
    ],
    close: () => void thread.terminate(),
  };
}
