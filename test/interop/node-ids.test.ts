/**
 * Node ids chosen by the user: one config.ini for classic and native nodes, and the ids by which
 * the router knows its workers.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ZeroMQClient, ZeroMQHeartbeatConfig, ZeroMQRouter, ZeroMQWorker } from '../../src/index.ts';
import { ClassicClients, ClassicWorker, NEEDS_CLASSIC } from '../helpers/classic.ts';
import { eventually, within } from '../helpers/eventually.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { allowed, PATIENT, UNNOTICED } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

failOnLeftovers();

const ANY = 'tcp://127.0.0.1:0';
const CLASSIC = 'büro laptop_1';
const OURS = 'my-laptop';
describe('chosen node ids', NEEDS_CLASSIC, () => {
  it('chosen node ids: identify classic and native workers in bindings, heartbeats and reports', async (t) => {
    const scope = scopeOf(t);
    const config = join(tempFolder(scope), 'config.ini');
    const text = `[worker]\nnode_id = ${CLASSIC}\n\n[client]\nnode_id = ${OURS}\n`;
    writeFileSync(config, text);
    const own = join(tempFolder(scope), 'config.ini');
    writeFileSync(own, `[worker]\nnode_id = ${OURS}\n`);

    const router = new ZeroMQRouter({
      frontendConnection: ANY,
      backendConnection: ANY,
      heartbeatConfig: new ZeroMQHeartbeatConfig(ANY, {
        interval: 100,
        timeout: Math.min(allowed(300), UNNOTICED),
        maxMissed: 0,
      }),
      classicEvents: { [CLASSIC]: ['whoami'] },
      classicConcurrency: 4,
    });
    scope.after(() => router.stop({ deadline: 100 }));
    const peers: string[] = [];
    router.on('peerConnected', (peer) => peers.push(peer));
    const { frontend, backend, heartbeat = '' } = await router.start();
    const heartbeatConfig = new ZeroMQHeartbeatConfig(heartbeat, { interval: 100 });

    const worker = new ZeroMQWorker({
      connection: backend,
      configFile: own,
      heartbeatConfig,
      handlers: { ours: () => 'ours' },
    });
    scope.after(() => worker.stop({ deadline: 100 }));
    const classic = await untilJoined(async () => {
      await worker.start();
      return ClassicWorker.start(scope, backend, { config, heartbeat, interval: 100 });
    }, 2);
    const clients = await ClassicClients.start(scope, frontend, { config, heartbeat, interval: 100 });
    const client = new ZeroMQClient({
      ...PATIENT,
      connection: frontend,
      configFile: config,
      heartbeatConfig,
    });
    scope.after(() => client.close());

    assert.equal(worker.identity.nodeId, OURS);
    assert.ok(classic.identity.startsWith(`${CLASSIC}_`));
    assert.equal((await client.sendMessage('ours')).eventData, 'ours');
    assert.equal((await clients.request('ours', null)).data, 'ours');
    const { eventData } = await client.sendMessage('whoami');
    assert.equal((eventData as { pid: number }).pid, classic.pid, 'bound by its node id');
    await assert.rejects(
      client.sendMessage('echo'),
      { code: /NO_HANDLER|NO_WORKER/ },
      'bound to no other event',
    );

    const identities = [worker.identity.identity, classic.identity];
    assert.deepEqual(
      router
        .inspect()
        .workers.map(({ id }) => id)
        .sort(),
      [...identities].sort(),
    );
    const beating = [...identities, client.identity.identity];
    await eventually(
      (listener) => {
        router.on('peerConnected', listener);
        return () => router.off('peerConnected', listener);
      },
      () => peers.length === 4 && beating.every((identity) => peers.includes(identity)),
      'a heartbeat of each node',
    );
    assert.ok(
      peers.some((peer) => peer.startsWith(`${OURS}_`) && !beating.includes(peer)),
      'the heartbeat of the classic client',
    );
    const silences = router.inspect().workers.map(({ heartbeat: beats }) => beats === null);
    assert.deepEqual(silences, [false, false], 'heartbeats count for the workers that send them');

    const left = within(once(router, 'workerLeft'), 'the loss of the stopped worker');
    classic.process.kill('SIGSTOP');
    assert.deepEqual(await left, [classic.identity, 'heartbeat']);
    const back = within(once(router, 'workerJoined'), 'the heartbeat of the continued worker');
    classic.process.kill('SIGCONT');
    assert.equal((await back)[0], classic.identity);
    assert.equal(readFileSync(config, 'utf8'), text);
  });
});
