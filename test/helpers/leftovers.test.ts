/** Each kind of leftover is found, and is no longer reported once it is closed. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Dealer } from 'zeromq';
import { census, failOnLeftovers, leftovers } from './leftovers.ts';
import { RunningProcess } from './processes.ts';

failOnLeftovers();

const planted: Record<string, { open: () => () => unknown; shows: RegExp }> = {
  'a timer': {
    open: () => {
      const timer = setInterval(() => undefined, 60_000);
      return () => clearInterval(timer);
    },
    shows: /Timeout/,
  },
  'a listening socket': {
    open: () => {
      const server = createServer().listen(0);
      return () => server.close();
    },
    shows: /TCPServerWrap/,
  },
  'a ZeroMQ socket': {
    open: () => {
      const socket = new Dealer({ linger: 0 });
      return () => socket.close();
    },
    shows: /eventfd/,
  },
  'a child process': {
    open: () => {
      const child = new RunningProcess(process.execPath, ['-e', 'setInterval(() => {}, 60000)']);
      return () => child.end();
    },
    shows: /child process \d+/,
  },
  'a thread': {
    open: () => {
      const thread = new Worker('setInterval(() => {}, 60000)', { eval: true });
      return () => thread.terminate();
    },
    shows: /MessagePort|eventfd/,
  },
};

for (const [what, { open, shows }] of Object.entries(planted)) {
  it(`leftovers: finds ${what}`, async () => {
    const start = census();
    const close = open();
    let found: string;
    do found = (await leftovers(start, 0)).join('\n');
    while (!shows.test(found)); // A thread needs a moment to start.
    await close();
    assert.deepEqual(await leftovers(start), []);
  });
}
