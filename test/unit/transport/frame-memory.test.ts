import assert from 'node:assert/strict';
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import { noteFrames } from '../../../src/transport/frame-memory.ts';
import { within } from '../../helpers/eventually.ts';
import { scopeOf } from '../../helpers/scope.ts';

interface Collection {
  readonly kind: number;
  readonly flags: number;
}

const MEGABYTE = Buffer.alloc(1024 * 1024);

describe('the memory of frames', () => {
  it('is looked through after each 8 MiB that came, the young generation only', async (t) => {
    const scope = scopeOf(t);
    const asked: Collection[] = [];
    const seen = new Promise<void>((resolve) => {
      const observer = new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          const { detail } = entry as PerformanceEntry & { detail: Collection };
          if (detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) asked.push(detail);
        }
        if (asked.length >= 2) resolve();
      });
      observer.observe({ entryTypes: ['gc'] });
      scope.after(() => observer.disconnect());
    });
    for (let message = 0; message < 8; message++) noteFrames([Buffer.from('head'), MEGABYTE]);
    for (let message = 0; message < 15; message++) noteFrames([MEGABYTE.subarray(0, 512 * 1024)]);
    noteFrames([MEGABYTE]);
    await within(seen, 'two collections');
    assert.deepEqual(
      asked.map(({ kind }) => kind),
      [constants.NODE_PERFORMANCE_GC_MINOR, constants.NODE_PERFORMANCE_GC_MINOR],
    );
    assert.equal('gc' in globalThis, false);
  });
});
