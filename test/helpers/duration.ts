/** Checks durations on a machine that other work may slow down. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { allowed } from './patience.ts';

const ATTEMPTS = 3;

/** Maximum duration of every attempt, in ms. */
const MAX_DURATION = 5000;

/**
 * Asserts that something takes at most `limit` ms in at least one of three attempts, since a busy
 * machine may delay any of them. Limits grow with the factor by which the machine is slower. Reports the duration of each attempt.
 *
 * @param attempt does it once and resolves with its duration in ms.
 */
export async function assertTakesAtMost(
  t: TestContext,
  limit: number,
  what: string,
  attempt: () => Promise<number>,
): Promise<void> {
  const within = allowed(limit);
  const times: number[] = [];
  while (times.length < ATTEMPTS && !times.some((time) => time <= within)) {
    const time = await attempt();
    t.diagnostic(`${what}: ${time.toFixed(0)} ms`);
    assert.ok(time <= allowed(MAX_DURATION), `${what}: it took ${time.toFixed(0)} ms`);
    times.push(time);
  }
  const least = Math.min(...times);
  assert.ok(least <= within, `${what}: the fastest of ${ATTEMPTS} attempts took ${least.toFixed(0)} ms`);
}

/** Resolves with the duration of `run` in ms. */
export async function durationOf(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}
