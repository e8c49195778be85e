/**
 * fast-check for property tests. Its values are the same in every run, so that a test fails because of
 * a change and never by chance. `npm run test:random` looks for new failures with other values.
 */
import fc from 'fast-check';

/** `PROPERTY_SEED=random`: other values in each run. fast-check prints the seed of a failure. */
const { PROPERTY_SEED = '20261129', PROPERTY_TIMES = '1' } = process.env;

const times = Number(PROPERTY_TIMES);

/** The number of values to try: `count`, times the factor `PROPERTY_TIMES`. */
export function runs(count: number): number {
  return Math.ceil(count * times);
}

fc.configureGlobal({
  numRuns: runs(100),
  ...(PROPERTY_SEED !== 'random' && { seed: Number(PROPERTY_SEED) }),
});

export default fc;
