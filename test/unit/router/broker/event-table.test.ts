/** The number of events that are touched when workers join, change their events, and leave. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { EventState } from '../../../../src/router/broker/event-state.ts';
import { EventTable } from '../../../../src/router/broker/event-table.ts';
import { Worker } from '../../../../src/router/broker/worker.ts';
import { System } from '../fixture.ts';

const COUNT = 1000;
const port = { dispatch: () => true, cancel: () => undefined };

function names(from = 0, count = COUNT): string[] {
  return Array.from({ length: count }, (_, index) => `e${from + index}`);
}

function worker(events: readonly string[] | undefined, ranks?: ReadonlyMap<string, number>): Worker {
  return new Worker(port, { id: 'w', events, concurrency: 1, ranks }, 1, 0);
}

/** Counts the events that a group is added to or removed from. */
function countChanges(t: TestContext): () => [linked: number, unlinked: number] {
  const link = t.mock.method(EventState.prototype, 'linkTo').mock;
  const unlink = t.mock.method(EventState.prototype, 'unlinkFrom').mock;
  return () => {
    const counts: [number, number] = [link.callCount(), unlink.callCount()];
    link.resetCalls();
    unlink.resetCalls();
    return counts;
  };
}

/** A worker without ranks and version. */
const plain = { ranks: undefined, release: undefined };

describe('EventTable', () => {
  it('event table: touches only the events that differ when a worker announces another list', (t) => {
    const table = new EventTable();
    const member = worker(names());
    table.join(member);
    const unchanged = table.events.get('e5');
    const counts = countChanges(t);
    assert.deepEqual(
      table.replace(member, { events: names(1), ...plain }).map(({ name }) => name),
      ['e0'],
    );
    assert.deepEqual(counts(), [1, 1]);
    assert.equal(table.events.get('e5'), unchanged);
    assert.deepEqual(
      ['e0', 'e5', `e${COUNT}`].map((name) => table.isServed(name, table.events.get(name))),
      [false, true, true],
    );
  });

  it('event table: touches nothing when a worker announces the same events in another order', (t) => {
    const table = new EventTable();
    const member = worker(names());
    table.join(member);
    const counts = countChanges(t);
    assert.deepEqual(table.replace(member, { ...plain, events: names().reverse(), ranks: new Map() }), []);
    const second = worker([...names().reverse(), 'e0']);
    table.join(second);
    assert.deepEqual(counts(), [0, 0]);
    assert.equal(second.group, member.group);
    assert.deepEqual(table.leave(second), []);
    assert.deepEqual(counts(), [0, 0]);
  });

  it('event table: keeps the events of the other workers of a group when one worker changes its events', () => {
    const table = new EventTable();
    const [one, other] = [worker(['a', 'b']), worker(['b', 'a'])];
    table.join(one);
    table.join(other);
    assert.deepEqual(table.replace(one, { events: ['b', 'c'], ...plain }), []);
    assert.notEqual(one.group, other.group);
    const served = (name: string) => table.events.get(name)?.groups.map(({ workers }) => [...workers]);
    assert.deepEqual([served('a'), served('b'), served('c')], [[[other]], [[other], [one]], [[one]]]);
    // The list is that of another group again, so the worker joins that group.
    const orphans = table.replace(one, { events: ['a', 'b'], ...plain });
    assert.deepEqual(
      orphans.map(({ name }) => name),
      ['c'],
    );
    assert.equal(one.group, other.group);
    assert.deepEqual(served('b'), [[one.group && [...one.group.workers]].flat()]);
  });

  it('event table: orders groups by rank when the ranks of a worker change', () => {
    const table = new EventTable();
    const [one, other] = [worker(['a', 'b']), worker(['a', 'c'])];
    table.join(one);
    table.join(other);
    const first = () => [...(table.events.get('a')?.groups[0]?.workers ?? [])];
    assert.deepEqual(first(), [one]);
    assert.deepEqual(table.replace(other, { ...plain, events: ['a', 'c'], ranks: new Map([['a', 1]]) }), []);
    assert.deepEqual(first(), [other]);
    assert.equal(table.events.get('a')?.topRank, 1);
  });

  it('event table: changes a worker from a list to every unannounced event, and back', () => {
    const table = new EventTable();
    const member = worker(['a']);
    table.join(member);
    assert.deepEqual(
      table.replace(member, { events: undefined, ...plain }).map(({ name }) => name),
      ['a'],
    );
    const serves = (name: string) => table.isServed(name, table.events.get(name));
    assert.deepEqual([serves('a'), serves('x')], [false, true]);
    assert.deepEqual(table.replace(member, { events: ['a'], ...plain }), []);
    assert.deepEqual([serves('a'), serves('x'), table.unannounced.size], [true, false, 0]);
  });

  it('event table: creates the queue of an event with its first request', () => {
    const table = new EventTable();
    table.join(worker(['a', 'b']));
    const [a, b] = [table.events.get('a'), table.events.get('b')];
    assert.ok(a !== undefined && b !== undefined);
    assert.equal(a.queue, b.queue);
    assert.notEqual(a.openQueue(), b.queue);
    assert.equal(a.openQueue(), a.queue);
  });

  it('event table: drops events without queued requests when their worker leaves and there is no grace period', () => {
    const table = new EventTable(false);
    const member = worker(names());
    table.join(member);
    table.events.get('e1')?.openQueue();
    assert.deepEqual(table.leave(member), []);
    assert.deepEqual([table.events.size, table.unannounced.size, table.past.has('e1')], [0, 0, true]);
  });
});

describe('requests queued while their worker changes its events', () => {
  it('queued requests: run if the worker keeps their event, and fail with NO_WORKER otherwise', () => {
    const system = new System();
    const fake = system.worker({ events: ['a', 'b'] });
    system.submit({ eventName: 'a' });
    for (const eventName of ['b', 'a', 'b']) system.submit({ eventName });
    system.core.updateWorker(fake.worker, { events: ['a', 'c'], ranks: undefined }, system.now);
    assert.deepEqual(system.client.codes, ['NO_WORKER', 'NO_WORKER']);
    system.submit({ eventName: 'c' });
    while (fake.reply() !== undefined);
    assert.deepEqual(fake.events, ['a', 'a', 'c']);
    assert.equal(system.core.stats().queued, 0);
  });

  it('queued requests: go to another worker that starts to announce their event', () => {
    const system = new System();
    const busy = system.worker({ events: ['a'] });
    const idle = system.worker({ events: ['b'] });
    system.submit({ eventName: 'a' });
    system.submit({ eventName: 'a' });
    system.core.updateWorker(idle.worker, { events: ['b', 'a'], ranks: undefined }, system.now);
    assert.deepEqual([busy.events, idle.events], [['a'], ['a']]);
  });
});
