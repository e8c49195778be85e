/**
 * `npm run soak:overload`: compares queue disciplines under overload in a simulation with the
 * router's broker. The capacity is 120 requests per second. Handlers take 100 ms on average
 * (exponential distribution). Requests arrive at random and have a timeout of 5 s.
 */
import { median, percentile } from '../bench/lib/stats.ts';
import { type Discipline, disciplines, withDiscipline } from './lib/disciplines.ts';
import { goodput, type SimulationOptions, type SimulationResult, simulate, success } from './lib/overload.ts';

const SEEDS = [1, 2, 3, 4, 5];
const MEAN = 100;

const common: Omit<SimulationOptions, 'seed' | 'phases'> = {
  workers: [4, 4, 4],
  service: (random) => -Math.log(1 - random.next()) * MEAN,
  meanService: MEAN,
  streams: [{ client: 0, eventName: 'e', weight: 1, timeout: 5000 }],
  random: true,
};

/** 130 % of the capacity for 40 s, then 90 %. */
const overload = [
  { load: 1.3, duration: 40_000 },
  { load: 0.9, duration: 60_000 },
];

/** 480 requests at once, all of which can complete in time, then half of the capacity. */
const burst = [
  { load: 20, duration: 200 },
  { load: 0.5, duration: 20_000 },
];

function measure(discipline: Discipline, phases: SimulationOptions['phases']): SimulationResult[] {
  return SEEDS.map((seed, index) => {
    const fresh = disciplines().find(({ name }) => name === discipline.name) ?? discipline;
    const options = fresh.breaker === false ? { breaker: false as const } : {};
    return withDiscipline(fresh, () => simulate({ ...common, phases, seed: seed + index, options }));
  });
}

function row(discipline: Discipline): string {
  const courses = measure(discipline, overload);
  const good = median(courses.map((course) => goodput(course, 10_000, 40_000)));
  const after = median(courses.map((course) => success(course, 42_000, 100_000)));
  const waits = courses.flatMap(({ requests }) =>
    requests
      .filter(({ code, at }) => code === '' && at > 10_000 && at < 40_000)
      .map((r) => r.settledAt - r.at),
  );
  const time = (share: number): string =>
    waits.length === 0 ? '–' : `${(percentile(waits, share) / 1000).toFixed(2)} s`;
  const bursts = median(measure(discipline, burst).map((course) => success(course, 0, 200)));
  const cells = [percent(good), time(0.5), time(0.99), percent(after), percent(bursts)];
  return `| ${[discipline.name, ...cells].join(' | ')} |`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

console.log(
  '| Served | Goodput at 130 % | Median time of a success | 99th percentile | Success from 2 s after the drop to 90 % | Success of a burst |',
);
console.log('|---|---|---|---|---|---|');
for (const discipline of disciplines()) console.log(row(discipline));
