import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { disciplines, withDiscipline } from '../../soak/lib/disciplines.ts';
import {
  goodput,
  type SimulationOptions,
  type SimulationResult,
  simulate,
  success,
} from '../../soak/lib/overload.ts';

const RUNS = Number(process.env.FC_RUNS ?? 60);

/** What the router promises under overload. */
const LEAST_GOODPUT = 0.85;
/** Time after which all is well again, in ms; slow handlers need so many of their times. */
const RECOVERY = 2000;
const RECOVERY_TIMES = 25;

function recoveryOf({ meanService }: Settings): number {
  return Math.max(RECOVERY, RECOVERY_TIMES * meanService);
}

const settings = fc.record({
  workers: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
  classic: fc.boolean(),
  meanService: fc.constantFrom(5, 25, 100, 400),
  /** How far handler times are from their mean, as a share of it. */
  spread: fc.constantFrom(0, 0.3, 0.9),
  /** Time that requests allow, in mean handler times. */
  patience: fc.constantFrom<number>(12, 30, 100),
  events: fc.integer({ min: 1, max: 3 }),
  clients: fc.integer({ min: 1, max: 3 }),
  /** All clients ask for the same; else some ask for more than their share. */
  even: fc.boolean(),
  overload: fc.constantFrom(1.3, 2, 5),
  after: fc.constantFrom(0.3, 0.6, 0.89),
  seed: fc.nat(),
});

type Settings = typeof settings extends fc.Arbitrary<infer T> ? T : never;

/** Shortest overload, in mean handler times: among fewer requests, chance alone moves the goodput by a tenth. */
const SAMPLE = 400;

/** Overload for several times the time that requests allow, then less than the capacity. */
function courseOf(given: Settings): SimulationOptions {
  const { workers, classic, meanService, spread, patience, events, clients, even, overload, after, seed } =
    given;
  const timeout = meanService * patience;
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
      { load: overload, duration: Math.max(6 * timeout, SAMPLE * meanService) },
      { load: after, duration: recoveryOf(given) + 5 * timeout },
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
  it('keeps its workers busy with requests that succeed, and recovers within 2 s', () => {
    fc.assert(
      fc.property(settings, (given) => {
        const course = simulate(courseOf(given));
        const { begin, drop, end } = spans(course);
        const good = goodput(course, begin, drop);
        assert.ok(good >= LEAST_GOODPUT, `goodput ${good}`);
        const made = course.requests.filter(({ at }) => at >= drop + recoveryOf(given) && at < end);
        const lost = made.filter(({ code }) => code !== '').length;
        // Handlers that take long by chance may cost one; a client that asks for more than its share still shares.
        const allowed = given.even
          ? Math.min(given.spread, 0.01) * made.length + Math.sign(given.spread)
          : made.length / 10;
        assert.ok(lost <= allowed, `${lost} of ${made.length} lost after the load dropped`);
        assert.ok(course.requests.every(({ code }) => code !== 'open'));
      }),
      { numRuns: RUNS, includeErrorInReport: true },
    );
  });

  it('serves a client that asks for little in full, whatever others ask', () => {
    fc.assert(
      fc.property(settings, fc.boolean(), (given, own) => {
        // Its turn comes after those of up to nine other lanes.
        const base = courseOf({ ...given, patience: Math.max(30, given.patience) });
        const { timeout } = base.streams[0] ?? { timeout: 0 };
        const all = base.streams.reduce((sum, { weight: part }) => sum + part, 0);
        const modest = {
          client: 99,
          eventName: own ? 'own' : 'event-0',
          weight: all / (50 * given.overload),
          timeout,
        };
        const course = simulate({ ...base, streams: [...base.streams, modest] });
        const { begin, end } = spans(course);
        const made = course.requests.filter(({ stream, at }) => stream === modest && at >= begin && at < end);
        const good = made.filter(({ code }) => code === '').length;
        assert.ok(good >= made.length * 0.99, `${good} of ${made.length}`);
      }),
      { numRuns: RUNS, includeErrorInReport: true },
    );
  });

  it('loses less than other ways to serve a queue', () => {
    const course: SimulationOptions = {
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
    const [plain, , , , , , ours] = disciplines().map((discipline) =>
      withDiscipline(discipline, () => simulate(course)),
    );
    assert.ok(plain !== undefined && ours !== undefined);
    assert.ok(goodput(plain, 10_000, 40_000) < 0.6, 'first come, first served does well: no overload');
    assert.ok(goodput(ours, 10_000, 40_000) > 0.95);
    assert.equal(success(ours, 42_000, 60_000), 1);
  });
});
