/**
 * Invalid messages from a router to a worker. They are answered, or dropped and counted, and the
 * worker continues.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Router } from 'zeromq';
import { withHelloMark } from '../../src/core/identity/identity.ts';
import type { DropCause } from '../../src/core/observability/diagnostics.ts';
import { ZeroMQWorker } from '../../src/index.ts';
import type { Hello } from '../../src/wire/control.ts';
import { Drops } from '../helpers/drops.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { type Frame, rawRouter, texts } from '../helpers/raw.ts';
import { Scope } from '../helpers/scope.ts';
import { nested } from '../interop/values.ts';
import { NO_UTF8, PACKED_CANCEL, PACKED_REPLY, packed } from './bad-input-cases.ts';

failOnLeftovers();

interface BadAssignment {
  what: string;
  frames: Frame[];
  /** Code of the error reply; undefined if there is none. */
  answer?: string;
  cause?: DropCause;
}

const BAD_ASSIGNMENTS: readonly BadAssignment[] = [
  { what: 'an empty frame', frames: [''], cause: 'too-few-frames' },
  { what: 'one frame', frames: ['x'], cause: 'too-few-frames' },
  { what: 'three frames', frames: ['caller', '', 'echo'], cause: 'too-few-frames' },
  {
    what: 'an empty name',
    frames: ['caller', '', '', '{}'],
    answer: 'MALFORMED_MESSAGE',
    cause: 'bad-event-name',
  },
  {
    what: 'a name that is not UTF-8',
    frames: ['caller', '', NO_UTF8, '{}'],
    answer: 'MALFORMED_MESSAGE',
    cause: 'bad-event-name',
  },
  {
    what: 'a name of 64 KiB',
    frames: ['caller', '', 'n'.repeat(65_536), '{}'],
    answer: 'MALFORMED_MESSAGE',
    cause: 'bad-event-name',
  },
  { what: 'broken JSON', frames: ['caller', '', 'echo', '{"broken'], answer: 'MALFORMED_MESSAGE' },
  { what: 'empty data', frames: ['caller', '', 'echo', ''], answer: 'MALFORMED_MESSAGE' },
  { what: 'an event without a handler', frames: ['caller', '', 'unknown', '{}'], answer: 'NO_HANDLER' },
  { what: 'a control message without a name', frames: ['$', ''], cause: 'bad-control' },
  { what: 'an unknown control message', frames: ['$', '', '$explode', '{}'], cause: 'bad-control' },
  { what: 'a control message with invalid JSON', frames: ['$', '', '$welcome', '{"v'], cause: 'bad-control' },
  { what: 'a welcome with wrong fields', frames: ['$', '', '$welcome', '{"v":"1","pack":[],"router":7}'] },
  { what: 'an answer to a goodbye that the worker did not send', frames: ['$', '', '$bye', '{}'] },
  { what: 'a packed message of garbage', frames: [packed(9, 9, 9)], cause: 'bad-batch' },
  { what: 'a truncated packed request', frames: [packed(1, 0, 1)], cause: 'bad-batch' },
  { what: 'a packed reply', frames: [PACKED_REPLY], cause: 'foreign-reply' },
  { what: 'a packed cancellation of an unknown request', frames: [PACKED_CANCEL] },
];

describe('worker', () => {
  const scope = new Scope();
  let router: Router;
  let worker: ZeroMQWorker;
  let drops: Drops;

  before(async () => {
    drops = new Drops(scope);
    const raw = await rawRouter(scope);
    router = raw.socket;
    worker = new ZeroMQWorker({ connection: raw.endpoint, handlers: { echo: (data: unknown) => data } });
    scope.after(() => worker.stop({ deadline: 100 }));
    await worker.start();
    await hello();
  });
  after(() => scope.close());

  /** The worker's connection. Further connections belong to the same node. */
  let address = '';
  const identity = () => address;
  /** Waits for the hello of the worker. */
  const hello = async () => {
    const [from = '', ...frames] = texts(await router.receive());
    const { identity: node, nodeId } = worker.identity;
    assert.deepEqual(frames.slice(0, 3), ['$', '', '$hello']);
    assert.equal((JSON.parse(frames[3] ?? '') as Hello).node, node);
    assert.ok(from.startsWith(withHelloMark(`${nodeId}_`)), from);
    address = from;
  };
  const send = (frames: Frame[]) => router.send([identity(), ...frames]);
  const goodRequest = async (body = '{"good":1}') => {
    await send(['caller', '', 'echo', body]);
    assert.deepEqual(texts(await router.receive()), [identity(), 'caller', '', 'echo', body]);
  };

  for (const { what, frames, answer, cause } of BAD_ASSIGNMENTS) {
    it(`worker: ${answer ? 'replies to' : 'drops'} ${what}`, async () => {
      const before = cause && drops.count(cause);
      await send(frames);
      if (answer) {
        const reply = await router.receive();
        const { error } = JSON.parse(String(reply[4])) as { error: { code: string } };
        assert.deepEqual([texts(reply.slice(1, 3)), error.code], [['caller', ''], answer]);
      }
      if (cause) await drops.waitFor(cause, (before ?? 0) + 1);
      await goodRequest();
    });
  }

  it('worker: replies to 10,000 frames and reads the first four', async () => {
    await send(['caller', '', 'echo', '{}', ...Array.from({ length: 9_996 }, () => 'x')]);
    assert.deepEqual(texts(await router.receive()).slice(0, 5), [identity(), 'caller', '', 'echo', '{}']);
    await goodRequest();
  });

  it('worker: returns JSON of 1,000 levels', () => goodRequest(nested(1000)));

  it('worker: repeats its hello after a rejection without a reason', async () => {
    await send(['$', '', '$refused', '{"reason":{}}']);
    await hello();
    await goodRequest();
  });

  it('worker: repeats its hello on request', async () => {
    await send(['$', '', '$who', '{}']);
    await hello();
    await goodRequest();
  });

  it('worker: disconnects a router that sends 64 MiB, and reconnects', async () => {
    await send(['caller', '', 'echo', Buffer.alloc(64 * 1024 * 1024, 0x20)]);
    await hello();
    await goodRequest();
  });
});
