import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { PackedSink } from '../../../../src/wire/packed.ts';
import type { PostTarget } from '../../../../src/worker/threads/packed-port.ts';
import { PackedPort } from '../../../../src/worker/threads/packed-port.ts';
import { ThreadExecutor } from '../../../../src/worker/threads/thread-executor.ts';
import { makeReply, makeRequest } from '../../wire/messages.ts';

/** Both ends of a message port, in one thread. */
function make(maxLoad = 10) {
  const got: string[] = [];
  const posts: Uint8Array[] = [];
  const sink: PackedSink = {
    packedRequest: (id, generation, { eventName, body }) => {
      got.push(`${eventName} ${body.length}`);
      keys.push([id, generation]);
    },
    packedReply: () => assert.fail('the parent sends no replies'),
    packedCancel: (id, generation) =>
      got.push(`cancel ${keys.findIndex(([i, g]) => i === id && g === generation)}`),
  };
  const keys: [number, number][] = [];
  const child = new PackedPort({ postMessage: (value) => executor.received(value as Uint8Array) }, sink);
  const toChild: PostTarget = {
    postMessage(value, transfer) {
      const bytes = value as Uint8Array;
      assert.equal(transfer?.[0], bytes.buffer, 'it is handed over, not copied');
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
  return { executor, execute, answer, got, posts, codes, settled: () => turn().then(() => turn()) };
}

describe('requests for a thread', () => {
  it('of one turn are handed over together, large ones too', async () => {
    const { execute, got, posts, settled } = make();
    execute('one');
    execute('two', 2_000_000);
    execute('three');
    assert.deepEqual(got, []);
    await settled();
    assert.deepEqual([got, posts.length], [['one 1', 'two 2000000', 'three 1'], 1]);
  });

  it('are settled once by its replies, and known until then', async () => {
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

  it('are refused when it holds too many', async () => {
    const { executor, execute, codes, settled } = make(1);
    execute('one');
    const refused = execute('two');
    refused.cancel('cancelled');
    await settled();
    assert.deepEqual([codes, executor.load], [['BUSY'], 1]);
  });

  it('are cancelled there', async () => {
    const { executor, execute, answer, got, settled } = make();
    const first = execute('one');
    execute('two');
    await settled();
    answer(0);
    await settled();
    first.cancel('expired');
    executor.close();
    await settled();
    assert.deepEqual(got, ['one 1', 'two 1', 'cancel 1']);
  });
});
