/** Whether a ratio fell, judged by the confidence interval of its rounds. */
import { type Interval, medianInterval } from './stats.ts';

/**
 * `fell`: the whole interval is below the limit. `unclear`: the limit is in the interval, and the
 * measurement cannot tell. `ok`: the whole interval is at the limit or above.
 */
export type Verdict = 'ok' | 'unclear' | 'fell';

/** A judged ratio. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly interval: Interval;
}

/**
 * Judges ratios of which more is better.
 *
 * @param rounds ratio of each round.
 * @param limit lowest permitted ratio.
 */
export function judgeLeast(rounds: readonly number[], limit: number): Judgement {
  const interval = medianInterval(rounds);
  const { low, high } = interval;
  return { verdict: high < limit ? 'fell' : low < limit ? 'unclear' : 'ok', interval };
}

/**
 * Judges ratios of which less is better, such as those of CPU time.
 *
 * @param limit highest permitted ratio.
 */
export function judgeMost(rounds: readonly number[], limit: number): Judgement {
  const interval = medianInterval(rounds);
  const { low, high } = interval;
  return { verdict: low > limit ? 'fell' : high > limit ? 'unclear' : 'ok', interval };
}
