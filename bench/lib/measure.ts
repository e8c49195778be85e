/** Measurements of contenders under load in interleaved rounds, and their medians. */
import { type Contender, type RunningContender, withContenders } from './contender.ts';
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
  /** Seconds of load before the first round after a start. */
  readonly warmup: number;
  /**
   * Number of rounds after which the contenders are stopped and started again. Two processes of one
   * build differ, so that an interval of rounds of the same processes is too narrow.
   *
   * @defaultValue they are started once
   */
  readonly roundsPerStart?: number;
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

/** What is done with contenders after each start. */
export interface Work {
  /** Checks that a contender works, or waits until it does. */
  readonly prepare?: (running: RunningContender) => Promise<void>;
  readonly apply: ApplyLoad;
}

/** Samples of all contenders: `samples.get(name)[round]`. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

/**
 * Starts contenders and measures each of them once per round, so that other activity on the machine
 * affects all of them equally. Starts them again after `effort.roundsPerStart` rounds.
 */
export async function interleave(
  contenders: readonly Contender[],
  { prepare, apply }: Work,
  effort: Effort,
  pairs: readonly RatioPair[] = [],
): Promise<Samples> {
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  let round = 0;
  while (isWanted(round, samples, effort, pairs)) {
    const next = round + (effort.roundsPerStart ?? Infinity);
    await withContenders(contenders, async (running) => {
      for (const each of running) await prepare?.(each);
      await warmUp(running, apply, effort);
      for (; round < next && isWanted(round, samples, effort, pairs); round += 1) {
        await measureRound(round, running, apply, effort, samples);
      }
    });
  }
  return samples;
}

async function warmUp(
  contenders: readonly RunningContender[],
  apply: ApplyLoad,
  { warmup }: Effort,
): Promise<void> {
  if (warmup > 0) for (const each of contenders) await apply(each, warmup);
}

async function measureRound(
  round: number,
  contenders: readonly RunningContender[],
  apply: ApplyLoad,
  { seconds }: Effort,
  samples: ReadonlyMap<string, Sample[]>,
): Promise<void> {
  for (let turn = 0; turn < contenders.length; turn += 1) {
    const each = contenders[(turn + round) % contenders.length];
    if (each === undefined) continue;
    samples.get(each.contender.name)?.push(await sample(each, (time) => apply(each, time), seconds));
  }
}

function isWanted(
  round: number,
  samples: Samples,
  { rounds, precise }: Effort,
  pairs: readonly RatioPair[],
): boolean {
  if (round < rounds || precise === undefined) return round < rounds;
  return round < precise.maxRounds && !arePrecise(samples, pairs, precise.width);
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
