// test:all: 5 s; heartbeat-sockets.test.ts represents it
/**
 * Nodes with different heartbeat settings, over real sockets. Each announces its own interval, and
 * no connection flaps.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Router } from 'zeromq';
import { diagnostics } from '../../../src/core/observability/diagnostics.ts';
import { ZeroMQHeartbeatConfig } from '../../../src/index.ts';
import { failOnLeftovers } from '../../helpers/leftovers.ts';
import { allowed } from '../../helpers/patience.ts';
import { rawRouter } from '../../helpers/raw.ts';
import { type Scope, scopeOf } from '../../helpers/scope.ts';
import { connectClient, startRouter, startWorker } from '../framework.ts';

failOnLeftovers();

const ANY = 'tcp://127.0.0.1:0';

/** Every report of a silent peer. It must stay empty. */
function alarms(scope: Scope): unknown[] {
  const heard: unknown[] = [];
  const listener = (payload: unknown): void => void heard.push(payload);
  for (const channel of [diagnostics.heartbeatMissed, diagnostics.heartbeatLost, diagnostics.workerLeft]) {
    channel.subscribe(listener);
    scope.after(() => channel.unsubscribe(listener));
  }
  return heard;
}

/**
 * Resolves after `count` heartbeats of each node. Each node sends its heartbeats to this receiver,
 * too.
 */
async function beats(receiver: Router, nodes: readonly string[], count: number): Promise<void> {
  const left = new Map(nodes.map((node) => [node, count]));
  while ([...left.values()].some((more) => more > 0)) {
    const payload = JSON.parse(String((await receiver.receive())[3])) as Record<string, string>;
    const node = `${payload['node_id']}_${payload['session_id']}`;
    left.set(node, (left.get(node) ?? 0) - 1);
  }
}

describe('heartbeats: peers with different settings do not flap', () => {
  for (const [what, ofRouter, ofPeer, count] of [
    // Without its announced interval, a peer would be lost after 60 ms of silence.
    [
      'a router that checks often, with peers that send seldom',
      { interval: 10, timeout: 20, maxMissed: 3 },
      1000,
      6, // Some are sent immediately when a connection is established.
    ],
    [
      'a router that checks seldom, with peers that send often',
      { interval: 300, timeout: allowed(2000), maxMissed: 0 },
      10,
      100,
    ],
  ] as const) {
    it(what, async (t) => {
      const scope = scopeOf(t);
      const heard = alarms(scope);
      const { router, frontend, backend, heartbeat } = await startRouter(scope, 'tcp', {
        heartbeatConfig: new ZeroMQHeartbeatConfig(ANY, { ...ofRouter, allowShortDurations: true }),
      });
      const lost: unknown[] = [];
      const connected: unknown[] = [];
      router.on('peerLost', (peer) => lost.push(peer));
      router.on('peerConnected', (peer) => connected.push(peer));
      const { socket, endpoint } = await rawRouter(scope);
      const places = [heartbeat ?? assert.fail('the router receives heartbeats'), endpoint];
      const heartbeatConfig = new ZeroMQHeartbeatConfig(places, {
        interval: ofPeer,
        allowShortDurations: true,
      });
      const handlers = { echo: (data: unknown) => data };
      const worker = await startWorker(scope, { connection: backend, heartbeatConfig, handlers });
      const client = await connectClient(scope, frontend, { heartbeatConfig });
      const nodes = [worker.identity.identity, client.identity.identity];
      await beats(socket, nodes, count);
      assert.deepEqual(heard, []);
      assert.deepEqual(lost, []);
      assert.deepEqual(connected.sort(), nodes.sort(), 'each joined once');
      assert.equal((await client.sendMessage('echo', 'still here')).eventData, 'still here');
    });
  }
});
