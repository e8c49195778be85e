import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { BrokerOptions } from '../../src/router/broker/limits.ts';
import { type RequestState, RouterRequest } from '../../src/router/broker/request.ts';
import { Counters } from '../../src/router/broker/stats.ts';
import fc, { runs } from '../helpers/property.ts';
import { makeRequest } from '../unit/wire/messages.ts';
import { allTransitions, LIFE, TransitionLog } from './request-life.ts';
import { commandSequences } from './router-core-commands.ts';
import { World } from './router-core-model.ts';

const RUNS = runs(300);

function checkProperty(options: BrokerOptions, fixed: { seed?: number; numRuns?: number } = {}): void {
  fc.assert(
    fc.property(commandSequences, (commands) => {
      fc.modelRun(() => {
        const world = new World(options);
        return { model: { world }, real: world };
      }, [...commands, END]);
    }),
    { numRuns: RUNS, includeErrorInReport: true, ...fixed },
  );
}

const END: fc.Command<object, World> = {
  check: () => true,
  run: (_model, world) => {
    world.checkEnd();
    if (world.draining) assert.equal(world.idle > 0, true, 'the broker did not report that it is drained');
  },
  toString: () => 'end',
};

const ROUTER_CODES = new Set(LIFE.flatMap(({ outcomes }) => outcomes));

function methodOf<Method>(prototype: object, name: string): Method {
  return Reflect.get(prototype, name) as Method;
}

/** Records all transitions of all requests until the end of the test. */
function recordTransitions(t: TestContext): TransitionLog {
  const log = new TransitionLog();
  let from: RequestState = 'new';
  const transition = methodOf<(this: RouterRequest, to: RequestState) => void>(
    RouterRequest.prototype,
    'transition',
  );
  const settled = methodOf<(this: Counters, code: string) => void>(Counters.prototype, 'settled');
  t.mock.method(RouterRequest.prototype, 'transition', function (this: RouterRequest, to: RequestState) {
    if (to === 'settled') from = this.state;
    else log.record(this.state, to);
    transition.call(this, to);
  });
  // Called with the outcome of the request that has just been settled.
  t.mock.method(Counters.prototype, 'settled', function (this: Counters, code: string) {
    log.record(from, 'settled', ROUTER_CODES.has(code) ? code : 'reply');
    settled.call(this, code);
  });
  return log;
}

describe('Broker under random events', () => {
  it('broker: settles each request once with a true outcome and queues none while a worker is free', () => {
    checkProperty({ breaker: false, queueLimit: 4, queueBytes: 20_000 });
  });

  it('broker: holds its invariants with circuit breakers', () => {
    checkProperty({ breaker: { threshold: 2, openDuration: 50, maxOpenDuration: 200 }, queueLimit: 4 });
  });

  it('broker: holds its invariants with a tight retry budget', () => {
    checkProperty({ breaker: false, retryBudget: { reserve: 1, ratio: 0.1, perSecond: 1 } });
  });

  it('broker: holds its invariants while requests wait for workers that left', () => {
    checkProperty({ breaker: false, workerGrace: 100, queueLimit: 4 });
  });

  it('broker: requests take all transitions of the model and no others', (t) => {
    const log = recordTransitions(t);
    const fixed = { seed: 20_261_125, numRuns: 600 };
    checkProperty({ breaker: false, queueLimit: 4, workerGrace: 100 }, fixed);
    checkProperty(
      { breaker: { threshold: 2, openDuration: 50, maxOpenDuration: 200 }, queueLimit: 4 },
      fixed,
    );
    assert.deepEqual([...log.unexpected], []);
    assert.deepEqual([...log.expected].sort(), allTransitions().sort());
  });

  it('broker: a request allows only the transitions of the model', () => {
    const states = ['new', 'queued', 'dispatched', 'settled'] as const;
    for (const from of states) {
      for (const to of states) {
        const pending = new RouterRequest(makeRequest(), { settle: () => undefined }, 0, 0, undefined, 0, 1);
        pending.state = from;
        const legal = LIFE.some((transition) => transition.from === from && transition.to === to);
        if (legal) pending.transition(to);
        else assert.throws(() => pending.transition(to), /cannot be/, `${from} → ${to}`);
      }
    }
  });
});
