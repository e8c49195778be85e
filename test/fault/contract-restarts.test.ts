// test:all: 30 s; router-restarted.test.ts represents it
/**
 * Fault: the router is killed and restarted while two groups of workers with incompatible versions
 * of one contract are running.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ZeroMQClient } from '../../src/index.ts';
import { freeEndpoint } from '../helpers/endpoints.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE } from '../helpers/patience.ts';
import type { RunningProcess } from '../helpers/processes.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { connectClient } from '../integration/framework.ts';
import { outcomesOf, Scene, startProgram } from './scene.ts';

failOnLeftovers();

const RESTARTS = 4;

/**
 * Startup grace of the router in ms. Workers of the accepted contract must reconnect within 15/16 of
 * it, and libzmq reconnects at intervals of up to 2.5 s.
 */
const STARTUP_GRACE = 10_000;

/** Returns the contracts that the router lists. */
async function listedContracts(client: ZeroMQClient): Promise<unknown> {
  const reply = await client.sendMessage('$router.contracts', {});
  return (reply.eventData as { contracts: unknown }).contracts;
}

/** Waits until each worker prints a line that matches, after the given number of lines. */
async function eachPrints(
  workers: readonly RunningProcess[],
  line: RegExp,
  printed: ReadonlyMap<RunningProcess, number>,
): Promise<void> {
  await Promise.all(workers.map((worker) => worker.waitForLine(line, PATIENCE, printed.get(worker))));
}

async function startRouterProgram(scope: Scope, frontend: string, backend: string): Promise<RunningProcess> {
  const router = startProgram(scope, 'router', frontend, backend, String(STARTUP_GRACE));
  await router.waitForLine(/^ready$/);
  return router;
}

it('router: restores the accepted contract after each of several kills, also if the rejected workers return first', async (t) => {
  const scope = scopeOf(t);
  const scene = new Scene(scope);
  const [frontend, connection] = [await freeEndpoint(scope, 'tcp'), await freeEndpoint(scope, 'tcp')];
  let router = await startRouterProgram(scope, frontend, connection);
  const accepted = await Promise.all(
    [1, 2].map(() => scene.worker(undefined, { connection, contractVersion: 1 })),
  );
  const rejected = await Promise.all(
    [1, 2].map(() => scene.rejectedWorker({ connection, contractVersion: 2 })),
  );
  const client = await connectClient(scope, frontend, { connectTimeout: PATIENCE });
  const original = await listedContracts(client);
  assert.match(JSON.stringify(original), /"\/tasks"/);
  assert.doesNotMatch(JSON.stringify(original), /priority/);

  let printed = new Map<RunningProcess, number>();
  for (let restart = 1; restart <= RESTARTS; restart += 1) {
    // In every other restart, the workers of the accepted contract return last.
    const paused = restart % 2 === 1 ? accepted : [];
    for (const worker of paused) worker.kill('SIGSTOP');
    router.kill('SIGKILL');
    await router.exited;
    printed = new Map([...accepted, ...rejected].map((worker) => [worker, worker.lines.length]));
    router = await startRouterProgram(scope, frontend, connection);
    await eachPrints(rejected, /^refused: /, printed);
    for (const worker of paused) worker.kill('SIGCONT');
    await eachPrints(accepted, /^accepted$/, printed);
    assert.deepEqual(await outcomesOf([scene.send(client, 'put'), scene.send(client, 'post')]), ['ok', 'ok']);
    assert.deepEqual(await listedContracts(client), original, `contract after restart ${restart}`);
  }

  // After the startup grace, the router considers the rejected workers, and rejects them again.
  await eachPrints(rejected, /^refused: the contract "tasks" is refused/, printed);
  assert.deepEqual(await listedContracts(client), original);
  for (const worker of rejected) assert.ok(!worker.lines.includes('accepted'), worker.lines.join('\n'));
  scene.assertGuarantees();
});
