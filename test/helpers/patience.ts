/** How long tests wait. Machines differ, and other work slows them down. */

/** Variable in which `npm test` passes the factor by which the machine is slower than usual. */
const FACTOR_VARIABLE = 'ZMQ_GATEWAY_TEST_FACTOR';

/** Iterations of the measured loop, and their usual duration in ms on one free core. */
const ITERATIONS = 10_000_000;
const USUAL_DURATION = 15;

/** Maximum factor by which brief timeouts grow; 1 s stays below PATIENCE, so that it still ends first. */
const MAX_GROWTH = 40;

const factor = Math.max(1, Number(process.env[FACTOR_VARIABLE]) || 1);

/**
 * Maximum time in ms that a test waits for an event. Only a test that fails waits that long.
 */
export const PATIENCE = Math.round(60_000 * factor);

/**
 * Options of clients whose requests are expected to succeed. The defaults of the product, 2 s for a
 * connection and 5 s for a reply, are too short for a busy machine.
 */
export const PATIENT = { timeout: PATIENCE, connectTimeout: PATIENCE } as const;

/**
 * Time in ms in which a silent peer is noticed by its missing heartbeats alone: ZeroMQ's pings find it
 * after 3 to 10 s.
 */
export const UNNOTICED = 2000;

/** Commands that send requests, whose default timeout is 5 s. */
const REQUESTING = new Set(['call', 'drain', 'events', 'ps', 'weight']);

/**
 * Returns the environment in which requests of a command may take as long as the test waits, unless
 * a flag sets their timeout.
 */
export function patientEnvironment([command = '']: readonly string[]): NodeJS.ProcessEnv {
  return REQUESTING.has(command) ? { ZMQ_GATEWAY_TIMEOUT: String(PATIENCE) } : {};
}

/**
 * Returns a limit, in ms, for work on the wall clock: the limit on a free machine times the factor
 * by which this machine is slower now. Limits on CPU time or on an injected clock do not need it.
 */
export function allowed(limit: number): number {
  return limit * Math.max(factor, slowness());
}

/**
 * Returns a timeout, in ms, for a request that is to reach its handler and then time out. It grows
 * with the square of the factor by which this machine is slower now, since a process that waits for
 * its turn on a busy machine is late at every step.
 */
export function briefTimeout(usual: number): number {
  return Math.round(usual * Math.min(MAX_GROWTH, Math.max(factor, slowness()) ** 2));
}

/** Measures by which factor the machine is slower than usual at this moment; at least 1. */
function slowness(): number {
  const start = performance.now();
  let sum = 0;
  for (let index = 0; index < ITERATIONS; index += 1) sum = (sum * 31 + index) | 0;
  const took = performance.now() - start;
  return Math.max(1, took / USUAL_DURATION + sum * 0); // `sum` keeps the loop from being removed.
}
