import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { disciplines, withDiscipline } from '../../soak/lib/disciplines.ts';
import {
  goodput,
  type SimulationOptions,
  type SimulationResult,
  simulate,
  success,
} from '../../soak/lib/overload.ts';
import fc, { runs } from '../helpers/property.ts';

const RUNS = runs(60);

/** The goodput that the router guarantees under overload. */
const MIN_GOODPUT = 0.85;
/** Recovery time in milliseconds. Slow handlers need `RECOVERY_TIMES` mean handler times instead. */
const RECOVERY = 2000;
const RECOVERY_TIMES = 25;

function recoveryOf({ meanService }: Settings): number {
  return Math.max(RECOVERY, RECOVERY_TIMES * meanService);
}

const settings = fc.record({
  workers: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
  classic: fc.boolean(),
  meanService: fc.constantFrom(5, 25, 100, 400),
  /** Deviation of handler times from their mean, as a share of it. */
  spread: fc.constantFrom(0, 0.3, 0.9),
  /** Request timeout in mean handler times. */
  timeoutFactor: fc.constantFrom<number>(12, 30, 100),
  events: fc.integer({ min: 1, max: 3 }),
  clients: fc.integer({ min: 1, max: 3 }),
  /** Whether all clients send the same load; otherwise some send more than their share. */
  even: fc.boolean(),
  overload: fc.constantFrom(1.3, 2, 5),
  after: fc.constantFrom(0.3, 0.6, 0.89),
  seed: fc.nat(),
});

type Settings = typeof settings extends fc.Arbitrary<infer T> ? T : never;

/**
 * Minimum duration of the overload in mean handler times. With fewer requests, chance alone changes
 * the goodput by a tenth.
 */
const MIN_OVERLOAD = 400;

/** Overload for several request timeouts, then a load below the capacity. */
function scenarioOf(config: Settings): SimulationOptions {
  const {
    workers,
    classic,
    meanService,
    spread,
    timeoutFactor,
    events,
    clients,
    even,
    overload,
    after,
    seed,
  } = config;
  const timeout = meanService * timeoutFactor;
  const streams = Array.from({ length: events * clients }, (_, index) => ({
    client: index % clients,
    eventName: `event-${Math.floor(index / clients)}`,
    weight: even ? 1 : 1 + (index % 3),
    timeout: timeout * (1 + (index % 2)),
  }));
  return {
    workers,
    classic,
    service: (random) => meanService * (1 + spread * (2 * random.next() - 1)),
    meanService,
    streams,
    phases: [
      { load: overload, duration: Math.max(6 * timeout, MIN_OVERLOAD * meanService) },
      { load: after, duration: recoveryOf(config) + 5 * timeout },
    ],
    random: false,
    seed,
  };
}

function spans({ ends }: SimulationResult): { begin: number; drop: number; end: number } {
  const [drop = 0, end = 0] = ends;
  return { begin: drop / 3, drop, end };
}

describe('a router under overload', () => {
  it('overload: the router keeps its workers busy with requests that succeed, and recovers within 2 s', () => {
    fc.assert(
      fc.property(settings, (config) => {
        const result = simulate(scenarioOf(config));
        const { begin, drop, end } = spans(result);
        const good = goodput(result, begin, drop);
        assert.ok(good >= MIN_GOODPUT, `goodput ${good}`);
        const submitted = result.requests.filter(({ at }) => at >= drop + recoveryOf(config) && at < end);
        const lost = submitted.filter(({ code }) => code !== '').length;
        // A handler that is slow by chance may cost one request. Clients above their share still compete.
        const allowed = config.even
          ? Math.min(config.spread, 0.01) * submitted.length + Math.sign(config.spread)
          : submitted.length / 10;
        assert.ok(lost <= allowed, `${lost} of ${submitted.length} lost after the load dropped`);
        assert.ok(result.requests.every(({ code }) => code !== 'open'));
      }),
      { numRuns: RUNS, includeErrorInReport: true },
    );
  });

  it('overload: the router serves a client with few requests in full, whatever other clients send', () => {
    fc.assert(
      fc.property(settings, fc.boolean(), (config, ownEvent) => {
        // Its turn comes after those of up to nine other streams.
        const base = scenarioOf({ ...config, timeoutFactor: Math.max(30, config.timeoutFactor) });
        const { timeout } = base.streams[0] ?? { timeout: 0 };
        const all = base.streams.reduce((sum, { weight }) => sum + weight, 0);
        const smallStream = {
          client: 99,
          eventName: ownEvent ? 'own' : 'event-0',
          weight: all / (50 * config.overload),
          timeout,
        };
        const result = simulate({ ...base, streams: [...base.streams, smallStream] });
        const { begin, end } = spans(result);
        const submitted = result.requests.filter(
          ({ stream, at }) => stream === smallStream && at >= begin && at < end,
        );
        const good = submitted.filter(({ code }) => code === '').length;
        assert.ok(good >= submitted.length * 0.99, `${good} of ${submitted.length}`);
      }),
      { numRuns: RUNS, includeErrorInReport: true },
    );
  });

  it('overload: the queue discipline of the router loses fewer requests than others', () => {
    const scenario: SimulationOptions = {
      workers: [4, 4, 4],
      service: (random) => -Math.log(1 - random.next()) * 100,
      meanService: 100,
      streams: [{ client: 0, eventName: 'e', weight: 1, timeout: 5000 }],
      phases: [
        { load: 1.3, duration: 40_000 },
        { load: 0.6, duration: 20_000 },
      ],
      random: true,
      seed: 1,
    };
    const [plain, , , , , , router] = disciplines().map((discipline) =>
      withDiscipline(discipline, () => simulate(scenario)),
    );
    assert.ok(plain !== undefined && router !== undefined);
    assert.ok(
      goodput(plain, 10_000, 40_000) < 0.6,
      'first come, first served succeeds, so there is no overload',
    );
    assert.ok(goodput(router, 10_000, 40_000) > 0.95);
    assert.equal(success(router, 42_000, 60_000), 1);
  });
});
