/** How long tests wait. Machines differ, and other work slows them down. */

/** Variable in which `npm test` passes the factor by which the machine is slower than usual. */
const FACTOR_VARIABLE = 'ZMQ_GATEWAY_TEST_FACTOR';

/** Iterations of the measured loop, and their usual duration in ms on one free core. */
const ITERATIONS = 10_000_000;
const USUAL_DURATION = 15;

const factor = Math.max(1, Number(process.env[FACTOR_VARIABLE]) || 1);

/**
 * Maximum time in ms that a test waits for an event. Only a test that fails waits that long.
 */
export const PATIENCE = Math.round(60_000 * factor);

/**
 * Returns a limit, in ms, for work on the wall clock: the limit on a free machine times the factor
 * by which this machine is slower now. Limits on CPU time or on an injected clock do not need it.
 */
export function allowed(limit: number): number {
  return limit * Math.max(factor, slowness());
}

/** Measures by which factor the machine is slower than usual at this moment; at least 1. */
function slowness(): number {
  const start = performance.now();
  let sum = 0;
  for (let index = 0; index < ITERATIONS; index += 1) sum = (sum * 31 + index) | 0;
  const took = performance.now() - start;
  return Math.max(1, took / USUAL_DURATION + sum * 0); // `sum` keeps the loop from being removed.
}
