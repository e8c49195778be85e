/** Fault: the router is killed, or stopped with SIGTERM, with requests in flight, and restarted. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { freeEndpoint } from '../helpers/endpoints.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { connectClient } from '../integration/framework.ts';
import { outcomesOf, Scene, startProgram } from './scene.ts';

failOnLeftovers();

/** A router that can be killed and restarted at the same endpoints, with a worker and a client. */
async function make(scope: Scope) {
  const scene = new Scene(scope);
  const [frontend, connection] = [await freeEndpoint(scope, 'tcp'), await freeEndpoint(scope, 'tcp')];
  const start = async () => {
    const program = startProgram(scope, 'router', frontend, connection);
    await program.waitForLine(/^ready$/);
    return program;
  };
  const router = await start();
  const worker = await scene.worker(undefined, { connection });
  const client = await connectClient(scope, frontend, { timeout: PATIENCE, connectTimeout: 200 });
  return { scene, start, router, worker, client, frontend };
}

describe('killed router', () => {
  it('killed router: requests in flight are lost, and the router serves new requests after its restart', async (t) => {
    const { scene, start, router, worker, client } = await make(scopeOf(t));
    const [again, lost] = [
      scene.send(client, 'put', { hold: true }),
      scene.send(client, 'post', { hold: true }),
    ];
    const began = new RegExp(`^began ${again.id}$`);
    await Promise.all([again, lost].map(({ id }) => worker.waitForLine(new RegExp(`^began ${id}$`))));
    const gone = once(client, 'disconnected');
    router.kill('SIGKILL');
    await gone;
    assert.deepEqual(await outcomesOf([lost]), ['WORKER_LOST, dispatched']);
    await worker.waitForLine(
      new RegExp(`^aborted ${lost.id}: the connection that the reply would take was lost`),
    );
    assert.deepEqual(await outcomesOf([again]), ['WORKER_LOST, dispatched'], 'no router returned in time');
    assert.deepEqual(
      await outcomesOf([scene.send(client, 'post')]),
      ['NO_ROUTER'],
      'the request was not sent',
    );

    const back = once(client, 'connected');
    await start();
    await back;
    assert.deepEqual(await outcomesOf([scene.send(client, 'put'), scene.send(client, 'post')]), ['ok', 'ok']);
    assert.equal(worker.lines.filter((line) => began.test(line)).length, 1);
    scene.assertGuarantees();
  });

  it('killed router: no idempotent request is lost if the router returns in time', async (t) => {
    const scope = scopeOf(t);
    const { scene, start, router, worker, frontend } = await make(scope);
    const patient = await connectClient(scope, frontend, { connectTimeout: PATIENCE });
    const again = scene.send(patient, 'put', { hold: true, timeout: PATIENCE });
    const began = new RegExp(`^began ${again.id}$`);
    await worker.waitForLine(began);
    const lines = worker.lines.length;
    router.kill('SIGKILL');
    await router.exited;
    await start();
    await worker.waitForLine(began, PATIENCE, lines);
    worker.write('release');
    assert.deepEqual(await outcomesOf([again]), ['ok']);
    assert.equal(scene.assertGuarantees().rerun, 1);
  });
});

describe('stopped router', () => {
  it('stopped router: settles the requests in flight, and new requests are rejected as not run', async (t) => {
    const { scene, router, worker, client } = await make(scopeOf(t));
    const held = [scene.send(client, 'put', { hold: true }), scene.send(client, 'post', { hold: true })];
    await Promise.all(held.map(({ id }) => worker.waitForLine(new RegExp(`^began ${id}$`))));
    const gone = once(client, 'disconnected');
    router.kill('SIGTERM');
    await gone; // The router has said goodbye: the client sends it nothing further.
    assert.deepEqual(await outcomesOf([scene.send(client, 'post')]), ['NO_ROUTER']);
    worker.write('release');
    assert.deepEqual(await outcomesOf(held), ['ok', 'ok']);
    assert.deepEqual(await router.exited, { code: 0, signal: null });
    assert.equal(scene.assertGuarantees().executions, 2);
  });
});
