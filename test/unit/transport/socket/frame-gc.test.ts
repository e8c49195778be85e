import assert from 'node:assert/strict';
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import { FrameGc, noteFrames, startFrameGc } from '../../../../src/transport/socket/frame-gc.ts';
import { within } from '../../../helpers/eventually.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { scopeOf } from '../../../helpers/scope.ts';

interface Collection {
  readonly kind: number;
  readonly flags: number;
}

const MEGABYTE = Buffer.alloc(1024 * 1024);

/** A garbage collector that records its calls. */
function fake(heap = 0) {
  const calls: string[] = [];
  const collector = {
    heap,
    scavenge: () => void calls.push('scavenge'),
    heapUsed: () => collector.heap,
    setIncrementalMarking: (allowed: boolean) => void calls.push(allowed ? 'steps' : 'no steps'),
  };
  const clock = new FakeClock();
  return { calls, collector, clock, gc: new FrameGc(collector, clock) };
}

function messages(gc: Pick<FrameGc, 'note'>, count: number): void {
  for (let message = 0; message < count; message++) gc.note([Buffer.from('head'), MEGABYTE]);
}

describe('FrameGc', () => {
  it('FrameGc: scavenges after each 8 MiB of frames', () => {
    const { calls, gc } = fake();
    messages(gc, 7);
    assert.deepEqual(calls, []);
    messages(gc, 1);
    assert.deepEqual(calls, ['scavenge', 'no steps']);
    messages(gc, 7);
    assert.deepEqual(calls.length, 2);
    messages(gc, 1);
    assert.deepEqual(calls.slice(2), ['scavenge', 'no steps']);
  });

  it('FrameGc: enables incremental marking again a second after the last scavenge', () => {
    const { calls, gc, clock } = fake();
    messages(gc, 8);
    clock.advance(900);
    messages(gc, 8);
    clock.advance(900);
    assert.equal(calls.includes('steps'), false);
    clock.advance(100);
    assert.equal(calls.at(-1), 'steps');
  });

  it('FrameGc: keeps incremental marking enabled for a large heap', () => {
    const { calls, collector, gc, clock } = fake(65 * 1024 * 1024);
    messages(gc, 8);
    assert.deepEqual(calls, ['scavenge', 'steps']);
    collector.heap = 60 * 1024 * 1024;
    messages(gc, 8);
    collector.heap = 65 * 1024 * 1024;
    messages(gc, 8);
    assert.deepEqual(calls.slice(2), ['scavenge', 'no steps', 'scavenge', 'steps']);
    clock.advance(5000);
    assert.equal(calls.length, 6);
  });

  it('FrameGc: collects only the young generation', async (t) => {
    const scope = scopeOf(t);
    const forced: Collection[] = [];
    const seen = new Promise<void>((resolve) => {
      const observer = new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          const { detail } = entry as PerformanceEntry & { detail: Collection };
          if (detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) forced.push(detail);
        }
        if (forced.length > 0) resolve();
      });
      observer.observe({ entryTypes: ['gc'] });
      scope.after(() => observer.disconnect());
    });
    startFrameGc();
    messages({ note: noteFrames }, 8);
    await within(seen, 'a collection');
    assert.deepEqual(
      forced.map(({ kind }) => kind),
      [constants.NODE_PERFORMANCE_GC_MINOR],
    );
    assert.equal('gc' in globalThis, false);
  });
});
