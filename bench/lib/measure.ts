/** Measurements of contenders under load in interleaved rounds, and their medians. */
import type { RunningContender } from './contender.ts';
import type { LoadResult } from './load.ts';
import { usageOf } from './proc-fs.ts';
import type { RunningProcess } from './process.ts';
import type { Target } from './scenario.ts';
import { median, medianInterval } from './stats.ts';

/** One load run against one contender. */
export interface Sample {
  readonly perSecond: number;
  /** In milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly errors: number;
  /** Microseconds of CPU time per request, by process name. */
  readonly cpu: Readonly<Record<string, number>>;
  /** Resident memory of all processes after the load, in bytes. */
  readonly rss: number;
}

/** Medians over the rounds. */
export interface Summary {
  readonly name: string;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly errors: number;
  readonly cpu: Readonly<Record<string, number>>;
  /** Microseconds of CPU time per request, all processes together. */
  readonly cpuTotal: number;
  readonly rss: number;
  readonly rounds: number;
}

/** Extent of a measurement. */
export interface Effort {
  /** Number of rounds over all contenders. Each round starts with the next contender. */
  readonly rounds: number;
  /** Seconds of load per contender and round. */
  readonly seconds: number;
  /** Seconds of load before the first round. */
  readonly warmup: number;
  /**
   * Adds rounds until the ratios are precise enough.
   *
   * @defaultValue no rounds are added
   */
  readonly precise?: Precision;
}

/** How precise ratios have to be. */
export interface Precision {
  /** Width of the 95 % confidence interval of each ratio, as a fraction of the ratio. */
  readonly width: number;
  /** Maximum number of rounds. */
  readonly maxRounds: number;
}

/** A ratio that has to be precise: names of two contenders, and the value that is compared. */
export interface RatioPair {
  readonly name: string;
  readonly reference: string;
  /**
   * Selects the value.
   *
   * @defaultValue requests per second
   */
  readonly pick?: (sample: Sample) => number;
}

/** Applies load to a contender for this many seconds. */
export type ApplyLoad = (running: RunningContender, seconds: number) => Promise<LoadResult>;

/** Samples of all contenders: `samples.get(name)[round]`. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

/**
 * Measures each contender once per round, so that other activity on the machine affects all of them
 * equally.
 */
export async function interleave(
  contenders: readonly RunningContender[],
  apply: ApplyLoad,
  effort: Effort,
  pairs: readonly RatioPair[] = [],
): Promise<Samples> {
  const { rounds, precise } = effort;
  const samples = new Map<string, Sample[]>(contenders.map((each) => [each.contender.name, []]));
  for (const each of contenders) if (effort.warmup > 0) await apply(each, effort.warmup);
  const more = (round: number): boolean =>
    round < rounds ||
    (precise !== undefined && round < precise.maxRounds && !arePrecise(samples, pairs, precise.width));
  for (let round = 0; more(round); round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const each = contenders[(turn + round) % contenders.length];
      if (each === undefined) continue;
      samples
        .get(each.contender.name)
        ?.push(await sample(each, (seconds) => apply(each, seconds), effort.seconds));
    }
  }
  return samples;
}

function arePrecise(samples: Samples, pairs: readonly RatioPair[], width: number): boolean {
  return pairs.every(({ name, reference, pick }) => {
    const { low, median: middle, high } = medianInterval(ratios(samples, name, reference, pick));
    return !(high - low > width * middle);
  });
}

/** Runs load once and records the CPU time and memory of each process. */
async function sample(
  { processes }: { processes: readonly RunningProcess[] },
  apply: (seconds: number) => Promise<LoadResult>,
  seconds: number,
): Promise<Sample> {
  const before = processes.map(({ pid }) => usageOf(pid));
  const result = await apply(seconds);
  const after = processes.map(({ pid }) => usageOf(pid));
  const cpu: Record<string, number> = {};
  processes.forEach(({ name }, i) => {
    const used = (after[i]?.cpu ?? 0) - (before[i]?.cpu ?? 0);
    cpu[name] = (cpu[name] ?? 0) + used / Math.max(1, result.requests);
  });
  return {
    perSecond: result.requests / result.seconds,
    p50: result.p50,
    p99: result.p99,
    errors: result.errors,
    cpu,
    rss: after.reduce((sum, usage) => sum + usage.rss, 0),
  };
}

/** Returns the medians of a contender's samples. */
export function summarise(name: string, samples: readonly Sample[]): Summary {
  const of = (pick: (sample: Sample) => number): number => median(samples.map(pick));
  const names = Object.keys(samples[0]?.cpu ?? {});
  return {
    name,
    perSecond: of((each) => each.perSecond),
    p50: of((each) => each.p50),
    p99: of((each) => each.p99),
    errors: samples.reduce((sum, each) => sum + each.errors, 0),
    cpu: Object.fromEntries(names.map((key) => [key, of((each) => each.cpu[key] ?? 0)])),
    cpuTotal: of(cpuOf),
    rss: of((each) => each.rss),
    rounds: samples.length,
  };
}

/** CPU time per request, all processes together. */
export function cpuOf(sample: Sample): number {
  return Object.values(sample.cpu).reduce((sum, each) => sum + each, 0);
}

/** Returns the ratio of two contenders: the median of the ratios within each round. */
export function ratio(...args: Parameters<typeof ratios>): number {
  return median(ratios(...args));
}

/** Returns the ratios of two contenders within each round in which both did something. */
export function ratios(
  samples: Samples,
  name: string,
  reference: string,
  pick: (sample: Sample) => number = (each) => each.perSecond,
): number[] {
  const others = samples.get(reference) ?? [];
  return (samples.get(name) ?? []).flatMap((each, round) => {
    const other = others[round];
    const found = other === undefined ? Infinity : pick(each) / pick(other);
    return Number.isFinite(found) ? [found] : [];
  });
}

/** The measured part of a target for the ratio of two contenders. */
export function ratioTarget(
  samples: Samples,
  { name, reference, pick }: RatioPair,
): Pick<Target, 'value' | 'rounds' | 'cpu' | 'unit'> {
  const rounds = ratios(samples, name, reference, pick);
  return { value: median(rounds), rounds, cpu: ratios(samples, name, reference, cpuOf), unit: '×' };
}
