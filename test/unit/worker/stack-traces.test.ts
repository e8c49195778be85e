/** Stacks of errors that mistakes of a user cause: the first frame is the line of the user. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  defineContract,
  defineWorker,
  type Handlers,
  ZeroMQError,
  ZeroMQServer,
  ZeroMQWorker,
} from 'zeromq-gateway';
import { positionOf } from '../../../src/core/messages/caller-stack.ts';

const contract = defineContract({ name: 'tasks', events: { 'tasks.get': {} } });
const connection = 'tcp://127.0.0.1:1';
const handlers: Handlers = {};

class OwnWorker extends ZeroMQWorker {}

/** Each returns where it is, and then makes its mistake in the same line. */
const MISTAKES: Readonly<Record<string, (here: (error: Error) => void) => unknown>> = {
  // biome-ignore format: the position and the mistake are on one line
  'defineContract with a broken path': (here) => { here(new Error()); defineContract({ name: 'a', events: { a: { method: 'GET', path: '/a/{b}/{b}' } } }); },
  // biome-ignore format: the position and the mistake are on one line
  'defineContract without a name': (here) => { here(new Error()); defineContract({ name: '', events: {} }); },
  // biome-ignore format: the position and the mistake are on one line
  'defineWorker without handlers': (here) => { here(new Error()); defineWorker({}); },
  // biome-ignore format: the position and the mistake are on one line
  'defineWorker without the handler of an event': (here) => { here(new Error()); defineWorker({ contract, handlers: handlers as never }); },
  // biome-ignore format: the position and the mistake are on one line
  'ZeroMQWorker without the handler of an event': (here) => { here(new Error()); new ZeroMQWorker({ connection, contract, handlers: handlers as never }); },
  // biome-ignore format: the position and the mistake are on one line
  'ZeroMQWorker with a broken address': (here) => { here(new Error()); new ZeroMQWorker({ connection: 'tcp:/nowhere', handlers }); },
  // biome-ignore format: the position and the mistake are on one line
  'ZeroMQWorker as a server with two addresses': (here) => { here(new Error()); new ZeroMQWorker({ connection: [connection, 'tcp://127.0.0.1:2'], nodeType: 'server', handlers }); },
  // biome-ignore format: the position and the mistake are on one line
  'ZeroMQServer with a broken option': (here) => { here(new Error()); new ZeroMQServer({ connection, handlers, concurrency: -1 }); },
};

describe('stacks of mistakes', () => {
  for (const [what, mistake] of Object.entries(MISTAKES)) {
    it(`stacks of mistakes: ${what}: the first frame is the line of the user`, () => {
      let position: string | undefined;
      let thrown: unknown;
      try {
        mistake((error) => {
          position = positionOf(error);
        });
      } catch (error) {
        thrown = error;
      }
      assert.ok(thrown instanceof ZeroMQError, String(thrown));
      const stack = thrown.stack ?? '';
      const frame = stack.slice(stack.indexOf('\n    at ')).split('\n')[1] ?? '';
      const line = position?.replace(/:\d+$/, '') ?? 'unknown';
      assert.ok(frame.includes(`${line}:`), `${frame}\nis not\n${line}`);
      assert.match(line, /stack-traces\.test\.ts:\d+$/);
    });
  }

  it('stacks of mistakes: a class of the user that extends a worker keeps its frames', () => {
    assert.throws(
      () => new OwnWorker({ connection, handlers, concurrency: 0 }),
      (error: Error) => /\n {4}at new OwnWorker .*stack-traces\.test\.ts/.test(error.stack ?? ''),
    );
  });
});
