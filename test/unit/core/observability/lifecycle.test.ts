import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { withResolvers } from '../../../../src/core/collections/deferred.ts';
import { type ZeroMQError, ZeroMQSocketClosed } from '../../../../src/core/messages/errors.ts';
import { diagnostics, type LifecycleTransition } from '../../../../src/core/observability/diagnostics.ts';
import { Lifecycle, type LifecycleHooks } from '../../../../src/core/observability/lifecycle.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';

/** A node whose hooks wait for the test. */
function makeNode(overrides: Partial<LifecycleHooks<string>> = {}) {
  const calls: string[] = [];
  const clock = new FakeClock();
  const open = withResolvers<string>();
  const drain = withResolvers();
  const signals: Record<'open' | 'drain', AbortSignal | undefined> = { open: undefined, drain: undefined };
  const hooks: LifecycleHooks<string> = {
    open(signal) {
      calls.push('open');
      signals.open = signal;
      return open.promise;
    },
    drain(signal) {
      calls.push('drain');
      signals.drain = signal;
      return drain.promise;
    },
    release(error) {
      calls.push(error === undefined ? 'release' : `release: ${error.message}`);
    },
    ...overrides,
  };
  const life = new Lifecycle({ kind: 'router', node: 'r1' }, hooks, clock);
  return { life, clock, calls, open, drain, signals };
}

const isClosed = (error: unknown) => error instanceof ZeroMQSocketClosed && error.code === 'CLOSED';

describe('Lifecycle', () => {
  let transitions: LifecycleTransition[] = [];
  const listener = (transition: LifecycleTransition) => void transitions.push(transition);

  beforeEach(() => {
    transitions = [];
    diagnostics.lifecycle.subscribe(listener);
  });
  afterEach(() => diagnostics.lifecycle.unsubscribe(listener));

  const path = () => transitions.map(({ to }) => to);

  it('Lifecycle: starts, drains and releases, calls each hook once and publishes each transition', async () => {
    const { life, calls, open, drain } = makeNode();
    assert.equal(life.state, 'idle');
    const started = life.start();
    assert.equal(life.start(), started);
    assert.equal(life.state, 'starting');
    open.resolve('tcp://127.0.0.1:1');
    assert.equal(await started, 'tcp://127.0.0.1:1');
    assert.equal(life.start(), started);
    assert.equal(life.state, 'running');
    const closing = [life.close(), life.close()];
    assert.equal(life.state, 'draining');
    drain.resolve();
    await Promise.all(closing);
    assert.equal(await life.closed, undefined);
    assert.deepEqual(calls, ['open', 'drain', 'release']);
    assert.deepEqual(path(), ['starting', 'running', 'draining', 'closed']);
    assert.deepEqual(transitions[0], {
      kind: 'router',
      node: 'r1',
      from: 'idle',
      to: 'starting',
      error: undefined,
    });
  });

  it('Lifecycle: closes and releases when the start fails, and reports why', async () => {
    const { life, calls, open } = makeNode();
    const fault = new Error('address in use');
    const started = life.start();
    open.reject(fault);
    await assert.rejects(started, fault);
    assert.equal(await life.closed, fault);
    assert.deepEqual(calls, ['open', 'release: address in use']);
    assert.deepEqual(path(), ['starting', 'closed']);
    assert.equal(transitions[1]?.error, fault);
    await assert.rejects(life.start(), isClosed);
    await life.close();
    await life.destroy();
  });

  it('Lifecycle: a hook that throws synchronously fails the start', async () => {
    const fault = new Error('at once');
    const { life, calls } = makeNode({
      open() {
        throw fault;
      },
    });
    await assert.rejects(life.start(), fault);
    assert.deepEqual(calls, ['release: at once']);
  });

  it('Lifecycle: a node closed while idle never opens', async () => {
    const { life, calls } = makeNode();
    await life.close();
    await assert.rejects(life.start(), isClosed);
    assert.deepEqual(calls, ['release']);
  });

  for (const way of ['close', 'destroy'] as const) {
    it(`Lifecycle: ${way} while starting aborts the opening and releases only after it ended`, async () => {
      const { life, clock, calls, open, signals } = makeNode();
      const started = life.start();
      const ended = life[way]();
      assert.equal(signals.open?.aborted, true);
      await clock.advanceAsync(0);
      assert.deepEqual(calls, ['open']);
      open.resolve('too late');
      await assert.rejects(started, isClosed);
      await ended;
      assert.deepEqual(calls, ['open', 'release']);
      assert.equal(life.state, 'closed');
      assert.equal(clock.pending, 0);
    });
  }

  it('Lifecycle: cuts draining at the deadline', async () => {
    const { life, clock, open, signals, calls } = makeNode();
    open.resolve('');
    await life.start();
    const closing = life.close(300);
    clock.advance(299);
    assert.equal(signals.drain?.aborted, false);
    clock.advance(1);
    assert.equal(signals.drain?.aborted, true);
    await closing;
    const error = await life.closed;
    assert.equal((error as ZeroMQError).code, 'DRAIN_TIMEOUT');
    assert.deepEqual(calls, ['open', 'drain', 'release: router r1 did not drain in 300 ms']);
  });

  it('Lifecycle: destroy cuts draining', async () => {
    const { life, clock, open, signals } = makeNode();
    open.resolve('');
    await life.start();
    const closing = life.close();
    const fault = new Error('second signal');
    await life.destroy(fault);
    await closing;
    assert.equal(signals.drain?.reason, fault);
    assert.equal(await life.closed, fault);
    assert.deepEqual(path(), ['starting', 'running', 'draining', 'closed']);
    assert.equal(clock.pending, 0);
  });

  it('Lifecycle: destroy while running skips draining and resolves closed with its error', async () => {
    const { life, open, calls } = makeNode();
    open.resolve('');
    await life.start();
    const fault = new Error('context gone');
    await life.destroy(fault);
    assert.equal(await life.closed, fault);
    assert.deepEqual(calls, ['open', 'release: context gone']);
  });

  it('Lifecycle: errors of drain and release reach closed, which never rejects', async () => {
    const draining = makeNode();
    draining.open.resolve('');
    await draining.life.start();
    draining.drain.reject(new Error('lost two'));
    await draining.life.close();
    assert.equal((await draining.life.closed)?.message, 'lost two');
    const releasing = makeNode({ release: () => Promise.reject(new Error('busy socket')) });
    await releasing.life.close();
    assert.equal((await releasing.life.closed)?.message, 'busy socket');
  });
});
