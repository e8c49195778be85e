/**
 * Scaling: the same setup at several sizes, each compared with the smallest, in one interleaved
 * run.
 */
import type { Contender } from './contender.ts';
import { type ApplyLoad, cpuOf, interleave, ratio, ratioTarget, type Sample, summarise } from './measure.ts';
import { type Context, type Report, splitOf, type Target } from './scenario.ts';

/** A setup at one size. The contender is named after the size. */
export interface Size {
  readonly contender: Contender;
  readonly apply: ApplyLoad;
}

/** What is scaled, and how much the CPU time per request may grow. */
export interface Scaling {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  /** Sizes in ascending order. */
  readonly sizes: readonly Size[];
  /** Maximum ratio of the CPU time per request at the last size to that at the first. */
  readonly want: number;
  /**
   * Selects the value that is compared.
   *
   * @defaultValue CPU time per request, all processes together
   */
  readonly pick?: (sample: Sample) => number;
}

/**
 * Runs all sizes. The report contains the CPU time per request and its ratio to the smallest size.
 */
export async function runScaling(scaling: Scaling, context: Context): Promise<Report> {
  const { name, title, about, sizes, want, pick = cpuOf } = scaling;
  const missing = sizes.map(({ contender }) => contender.missing?.()).find((why) => why !== undefined);
  const names = sizes.map(({ contender }) => contender.name);
  const samples =
    missing === undefined
      ? await interleave(
          sizes.map(({ contender }) => contender),
          {
            apply: async (each, seconds) => {
              const size = sizes.find(({ contender }) => contender === each.contender);
              if (size === undefined) throw new Error(`no size ${each.contender.name}`);
              const result = await size.apply(each, seconds);
              context.log(`${each.contender.name}: ${Math.round(result.requests / result.seconds)}/s`);
              return result;
            },
          },
          context.effort,
        )
      : new Map<string, Sample[]>();
  const [first = ''] = names;
  const last = names.at(-1) ?? '';
  const target: Target = {
    key: name,
    what: title,
    against: first,
    bound: 'at most',
    want,
    ...ratioTarget(samples, { name: last, reference: first, pick }),
  };
  return {
    name,
    title,
    about,
    columns: [
      { key: 'cpu', title: 'CPU µs a request', digits: 1 },
      { key: 'ratio', title: `× ${first}`, digits: 2 },
      { key: 'perSecond', title: 'Requests/s' },
      { key: 'p50', title: 'p50 ms', digits: 2 },
      { key: 'p99', title: 'p99 ms', digits: 2 },
      { key: 'memory', title: 'Memory MiB' },
      { key: 'errors', title: 'Errors' },
    ],
    rows: [...samples.keys()].map((label) => {
      const { cpu, cpuTotal, perSecond, p50, p99, rss, errors } = summarise(label, samples.get(label) ?? []);
      const grown = ratio(samples, label, first, pick);
      const values = { cpu: cpuTotal, ratio: grown, perSecond, p50, p99, memory: rss / 2 ** 20, errors };
      return { label, values, split: splitOf(cpu), highlighted: true };
    }),
    targets: missing === undefined ? [target] : [],
    drawn: 'cpu',
    skipped: missing === undefined ? [] : [missing],
  };
}
