import assert from 'node:assert/strict';
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import { FrameGc, frameGc } from '../../../../src/transport/socket/frame-gc.ts';
import { within } from '../../../helpers/eventually.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { scopeOf } from '../../../helpers/scope.ts';

interface Collection {
  readonly kind: number;
  readonly flags: number;
}

const MEGABYTE = Buffer.alloc(1024 * 1024);

/** A garbage collector that writes down what it is told. */
function fake(heap = 0) {
  const told: string[] = [];
  const collector = {
    heap,
    scavenge: () => void told.push('scavenge'),
    heapUsed: () => collector.heap,
    setIncrementalMarking: (allowed: boolean) => void told.push(allowed ? 'steps' : 'no steps'),
  };
  const clock = new FakeClock();
  return { told, collector, clock, memory: new FrameGc(collector, clock) };
}

function messages(memory: FrameGc, count: number): void {
  for (let message = 0; message < count; message++) memory.note([Buffer.from('head'), MEGABYTE]);
}

describe('the memory of frames', () => {
  it('is looked through after each 8 MiB that came', () => {
    const { told, memory } = fake();
    messages(memory, 7);
    assert.deepEqual(told, []);
    messages(memory, 1);
    assert.deepEqual(told, ['scavenge', 'no steps']);
    messages(memory, 7);
    assert.deepEqual(told.length, 2);
    messages(memory, 1);
    assert.deepEqual(told.slice(2), ['scavenge', 'no steps']);
  });

  it('lets V8 mark in steps again a second after the last of them', () => {
    const { told, memory, clock } = fake();
    messages(memory, 8);
    clock.advance(900);
    messages(memory, 8);
    clock.advance(900);
    assert.equal(told.includes('steps'), false);
    clock.advance(100);
    assert.equal(told.at(-1), 'steps');
  });

  it('leaves a heap alone that is not small', () => {
    const { told, collector, memory, clock } = fake(65 * 1024 * 1024);
    messages(memory, 8);
    assert.deepEqual(told, ['scavenge', 'steps']);
    collector.heap = 60 * 1024 * 1024;
    messages(memory, 8);
    collector.heap = 65 * 1024 * 1024;
    messages(memory, 8);
    assert.deepEqual(told.slice(2), ['scavenge', 'no steps', 'scavenge', 'steps']);
    clock.advance(5000);
    assert.equal(told.length, 6);
  });

  it('is looked through by V8, the young generation only', async (t) => {
    const scope = scopeOf(t);
    const asked: Collection[] = [];
    const seen = new Promise<void>((resolve) => {
      const observer = new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          const { detail } = entry as PerformanceEntry & { detail: Collection };
          if (detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) asked.push(detail);
        }
        if (asked.length > 0) resolve();
      });
      observer.observe({ entryTypes: ['gc'] });
      scope.after(() => observer.disconnect());
    });
    messages(frameGc, 8);
    await within(seen, 'a collection');
    assert.deepEqual(
      asked.map(({ kind }) => kind),
      [constants.NODE_PERFORMANCE_GC_MINOR],
    );
    assert.equal('gc' in globalThis, false);
  });
});
