import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { PackedSink } from '../../../../src/wire/packed.ts';
import type { PostTarget } from '../../../../src/worker/threads/packed-port.ts';
import { PackedPort } from '../../../../src/worker/threads/packed-port.ts';
import { ThreadExecutor } from '../../../../src/worker/threads/thread-executor.ts';
import { isPosted, type ToThread } from '../../../../src/worker/threads/thread-messages.ts';
import { makeReply, makeRequest } from '../../wire/messages.ts';

/** Both ends of a message port, in one thread. */
function make(maxLoad = 10) {
  const received: string[] = [];
  const posts: Uint8Array[] = [];
  const sink: PackedSink = {
    packedRequest: (id, generation, { eventName, body }) => {
      received.push(`${eventName} ${body.length}`);
      keys.push([id, generation]);
    },
    packedReply: () => assert.fail('the parent sends no replies'),
    packedCancel: (id, generation) =>
      received.push(`cancel ${keys.findIndex(([i, g]) => i === id && g === generation)}`),
  };
  const keys: [number, number][] = [];
  const child = new PackedPort({ postMessage: (value) => executor.received(value as Uint8Array) }, sink);
  const toChild: PostTarget = {
    postMessage(value, transfer) {
      if (!isPosted(value as ToThread)) return void received.push(JSON.stringify(value));
      const bytes = value as Uint8Array;
      assert.equal(transfer?.[0], bytes.buffer, 'the buffer is transferred, not copied');
      posts.push(bytes);
      child.received(bytes);
    },
  };
  const executor = new ThreadExecutor(toChild, maxLoad);
  const codes: string[] = [];
  const execute = (eventName: string, size = 1) =>
    executor.execute(makeRequest({ eventName, body: Buffer.alloc(size, '1') }), ({ code }) =>
      codes.push(code || 'ok'),
    );
  const answer = (index: number): void => {
    const [id = 0, generation = 0] = keys[index] ?? [];
    child.addReply(id, generation, makeReply());
  };
  return { executor, execute, answer, received, posts, codes, settled: () => turn().then(() => turn()) };
}

describe('ThreadExecutor', () => {
  it('ThreadExecutor: posts the requests of one turn together, large ones included', async () => {
    const { execute, received, posts, settled } = make();
    execute('one');
    execute('two', 2_000_000);
    execute('three');
    assert.deepEqual(received, []);
    await settled();
    assert.deepEqual([received, posts.length], [['one 1', 'two 2000000', 'three 1'], 1]);
  });

  it('ThreadExecutor: settles each request once with the reply of the thread', async () => {
    const { executor, execute, answer, codes, settled } = make();
    execute('one');
    execute('two');
    await settled();
    let drained = false;
    void executor.drained().then(() => {
      drained = true;
    });
    answer(0);
    answer(0);
    await settled();
    assert.deepEqual([codes, executor.load, drained], [['ok'], 1, false]);
    answer(1);
    await settled();
    assert.deepEqual([codes, executor.load, drained], [['ok', 'ok'], 0, true]);
  });

  it('ThreadExecutor: rejects requests beyond its maximum', async () => {
    const { executor, execute, codes, settled } = make(1);
    execute('one');
    const rejected = execute('two');
    rejected.cancel('cancelled');
    await settled();
    assert.deepEqual([codes, executor.load], [['BUSY'], 1]);
  });

  it('ThreadExecutor: passes cancels to the thread', async () => {
    const { executor, execute, answer, received, settled } = make();
    const first = execute('one');
    execute('two');
    await settled();
    answer(0);
    await settled();
    first.cancel('expired');
    executor.close();
    await settled();
    assert.deepEqual(received, ['one 1', 'two 1', 'cancel 1']);
  });
});
