import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { RouterCoreOptions } from '../../src/router/options.ts';
import { courses } from './router-core-commands.ts';
import { World } from './router-core-model.ts';

const RUNS = Number(process.env.FC_RUNS ?? 300);

function holds(options: RouterCoreOptions): void {
  fc.assert(
    fc.property(courses, (commands) => {
      fc.modelRun(() => {
        const world = new World(options);
        return { model: { world }, real: world };
      }, [...commands, END]);
    }),
    { numRuns: RUNS, includeErrorInReport: true },
  );
}

const END: fc.Command<object, World> = {
  check: () => true,
  run: (_model, world) => {
    world.checkEnd();
    if (world.draining) assert.equal(world.idle > 0, true, 'not told to be idle');
  },
  toString: () => 'end',
};

describe('RouterCore, whatever happens', () => {
  it('settles each request once and truthfully, and lets nothing wait beside a free worker', () => {
    holds({ breaker: false, queueLimit: 4, queueBytes: 20_000 });
  });

  it('keeps its word with circuit breakers on', () => {
    holds({ breaker: { threshold: 2, rest: 50, maxRest: 200 }, queueLimit: 4 });
  });

  it('keeps its word with a tight retry budget', () => {
    holds({ breaker: false, retryBudget: { reserve: 1, ratio: 0.1, perSecond: 1 } });
  });

  it('keeps its word while requests wait for workers that left', () => {
    holds({ breaker: false, workerGrace: 100, queueLimit: 4 });
  });
});
