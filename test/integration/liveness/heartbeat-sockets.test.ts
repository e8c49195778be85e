import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { loadIdentity } from '../../../src/core/identity/identity.ts';
import { diagnostics } from '../../../src/core/observability/diagnostics.ts';
import { type Clock, systemClock } from '../../../src/core/time/clock.ts';
import { encodeHeartbeat, type Heartbeat, type HeartbeatNodeType } from '../../../src/liveness/heartbeat.ts';
import {
  type HeartbeatNode,
  ZeroMQHeartbeatConfig,
  type ZeroMQHeartbeatConfigOptions,
  ZeroMQHeartbeatReceiver,
  ZeroMQHeartbeatSender,
} from '../../../src/liveness/index.ts';
import { ClassicClients, ClassicRouter, ClassicWorker, NEEDS_CLASSIC } from '../../helpers/classic.ts';
import { Drops } from '../../helpers/drops.ts';
import { anyEndpoint, freeEndpoint, TRANSPORTS } from '../../helpers/endpoints.ts';
import { emissions, eventually } from '../../helpers/eventually.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { failOnLeftovers } from '../../helpers/leftovers.ts';
import { allowed } from '../../helpers/patience.ts';
import { published } from '../../helpers/published.ts';
import { rawDealer } from '../../helpers/raw.ts';
import { type Cleanup, scopeOf } from '../../helpers/scope.ts';

failOnLeftovers();

const FAST = { interval: 20, timeout: 60, maxMissed: 3, allowShortDurations: true };

async function startReceiver(
  cleanup: Cleanup,
  endpoint: string,
  options: { clock?: Clock; rules?: ZeroMQHeartbeatConfigOptions } = {},
) {
  const { clock, rules = FAST } = options;
  const config = new ZeroMQHeartbeatConfig(endpoint, rules);
  const receiver = new ZeroMQHeartbeatReceiver({ config, clock, source: { kind: 'router', node: 'r' } });
  cleanup.after(() => receiver.stop());
  return { receiver, bound: await receiver.start() };
}

async function startSender(
  cleanup: Cleanup,
  endpoint: string,
  options: { nodeType?: HeartbeatNodeType; interval?: number } = {},
) {
  const { nodeType = 'worker', interval = FAST.interval } = options;
  const identity = await loadIdentity(undefined, 'worker');
  const config = new ZeroMQHeartbeatConfig(endpoint, { interval, allowShortDurations: true });
  const source = { kind: 'worker', node: identity.identity } as const;
  const sender = new ZeroMQHeartbeatSender({ config, identity, nodeType, source });
  cleanup.after(() => sender.stop());
  sender.start();
  return { sender, key: identity.identity };
}

async function next(receiver: ZeroMQHeartbeatReceiver, event: 'connected' | 'lost'): Promise<HeartbeatNode> {
  const [node] = (await once(receiver, event)) as [HeartbeatNode];
  return { ...node };
}

describe('heartbeats over sockets', () => {
  for (const transport of [...TRANSPORTS, 'inproc'] as const) {
    it(`heartbeats over ${transport}: are received, and a sender that stops is reported as lost`, async (t) => {
      const scope = scopeOf(t);
      const { receiver, bound } = await startReceiver(scope, anyEndpoint(scope, transport));
      const connected = next(receiver, 'connected');
      const { sender, key } = await startSender(scope, bound);
      const node = await connected;
      assert.deepEqual([node.key, node.nodeType, node.returned], [key, 'worker', false]);
      const gone = next(receiver, 'lost');
      const loss = published(diagnostics.heartbeatLost);
      sender.stop();
      assert.equal((await gone).key, key);
      const { kind, node: source, peer, peerType, missed } = await loss;
      assert.deepEqual([kind, source, peer, peerType, missed], ['router', 'r', key, 'worker', 4]);
    });
  }

  it('heartbeats: are sent immediately when a receiver returns, however long the interval', async (t) => {
    const scope = scopeOf(t);
    const endpoint = await freeEndpoint(scope, 'tcp');
    const first = await startReceiver(scope, endpoint);
    const connected = next(first.receiver, 'connected');
    const { key } = await startSender(scope, endpoint, { interval: 3_600_000 });
    assert.equal((await connected).key, key);
    first.receiver.stop();
    const second = await startReceiver(scope, endpoint);
    assert.equal((await next(second.receiver, 'connected')).key, key);
  });

  it('heartbeats: a node with a longer interval than the receiver expects stays alive, because it announces its interval', async (t) => {
    const scope = scopeOf(t);
    const clock = new FakeClock();
    const { receiver, bound } = await startReceiver(scope, anyEndpoint(scope, 'tcp'), { clock });
    const lost: string[] = [];
    receiver.on('lost', (node) => lost.push(node.key));
    const connected = next(receiver, 'connected');
    const { key } = await startSender(scope, bound, { interval: 60_000 });
    await connected;
    clock.advance(180_000);
    assert.deepEqual(lost, []);
    receiver.alive(key);
    clock.advance(180_000);
    assert.deepEqual(lost, []);
    clock.advance(1000);
    assert.deepEqual(lost, [key]);
  });

  it('heartbeats: invalid ones are counted and dropped, and the next one is accepted', async (t) => {
    const scope = scopeOf(t);
    const drops = new Drops(scope);
    const { receiver, bound } = await startReceiver(scope, anyEndpoint(scope, 'tcp'));
    const peer = rawDealer(scope, bound);
    const good: Heartbeat = {
      nodeId: 'n',
      sessionId: 's',
      nodeType: 'worker',
      lastHeartbeat: systemClock.wall(),
      missedCount: 0,
      interval: undefined,
    };
    const bad: (string | Buffer)[][] = [
      [''],
      ['', 'heartbeat'],
      ['', 'heartbeat', '{'],
      ['', 'heartbeat', '{}'],
      ['', 'heartbeat', '['.repeat(60_000)],
      ['', 'message', '{}'],
      ['heartbeat', '{}'],
      ['', Buffer.from([0xff]), Buffer.from([0xff])],
      Array.from({ length: 10_000 }, () => 'x'),
    ];
    for (const frames of bad) await peer.send(frames);
    const connected = next(receiver, 'connected');
    await peer.send(encodeHeartbeat(good));
    assert.equal((await connected).key, 'n_s');
    assert.deepEqual(
      drops.all.map(({ kind, node, cause }) => [kind, node, cause]),
      bad.map(() => ['router', 'r', 'bad-heartbeat']),
    );
  });

  it('heartbeats: an oversized one disconnects only its sender', async (t) => {
    const scope = scopeOf(t);
    const { receiver, bound } = await startReceiver(scope, anyEndpoint(scope, 'tcp'));
    const peer = rawDealer(scope, bound);
    const cut = once(receiver.monitor, 'disconnect');
    await peer.send(['', 'heartbeat', Buffer.alloc(1 << 20)]);
    await cut;
    const connected = next(receiver, 'connected');
    const { key } = await startSender(scope, bound);
    assert.equal((await connected).key, key);
  });

  it('heartbeats: an unusable address is rejected by senders and receivers', async (t) => {
    const scope = scopeOf(t);
    const { bound } = await startReceiver(scope, anyEndpoint(scope, 'tcp'));
    await assert.rejects(startReceiver(scope, bound), { name: 'ZeroMQSocketInvalid' });
  });
});

describe('heartbeats and classic peers', NEEDS_CLASSIC, () => {
  it('heartbeats of classic workers and clients: are received, and a killed one is lost', async (t) => {
    const scope = scopeOf(t);
    const { receiver, bound } = await startReceiver(scope, anyEndpoint(scope, 'tcp'), {
      rules: { interval: 50, timeout: allowed(500), maxMissed: 1 },
    });
    const nodes = new Map<string, string>();
    receiver.on('connected', ({ key, nodeType }) => nodes.set(key, nodeType));
    const beats = { heartbeat: bound, interval: 50 };
    const backend = await freeEndpoint(scope, 'tcp');
    const worker = await ClassicWorker.start(scope, backend, beats);
    const clients = await ClassicClients.start(scope, backend, beats);
    await eventually(emissions(receiver, 'connected'), () => nodes.size === 2, 'both nodes');
    assert.equal(nodes.get(worker.identity), 'worker');
    assert.equal(nodes.get(String(clients.identities[0])), 'client');
    const lost = next(receiver, 'lost');
    await worker.kill();
    assert.equal((await lost).key, worker.identity);
  });

  it('heartbeats of native nodes: are read by a classic router', async (t) => {
    const scope = scopeOf(t);
    const any = () => anyEndpoint(scope, 'tcp');
    const router = await ClassicRouter.start(scope, any(), any(), { heartbeat: any() });
    const { key } = await startSender(scope, router.heartbeat, { nodeType: 'client' });
    const line = await router.waitForLine((each) => each['heartbeat'] !== undefined, 3);
    assert.equal(line['frames'], 4);
    const beat = line['heartbeat'] as Record<string, unknown>;
    assert.equal(`${String(beat['node_id'])}_${String(beat['session_id'])}`, key);
    assert.deepEqual(
      [beat['node_type'], beat['missed_count'], beat['interval']],
      ['client', 0, FAST.interval],
    );
    assert.equal(typeof beat['last_heartbeat'], 'number');
    assert.equal(router.lines.filter((each) => 'dropped' in each).length, 0);
  });
});
