/**
 * Invalid messages to the heartbeat port of a router or server. They are dropped and counted, and
 * affect no worker.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { ZeroMQClient, ZeroMQHeartbeatConfig, ZeroMQRouter, ZeroMQServer } from '../../src/index.ts';
import { Drops } from '../helpers/drops.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE, PATIENT } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { type Frame, isCut, rawDealer } from '../helpers/raw.ts';
import { Scope, scopeOf } from '../helpers/scope.ts';
import { nested } from '../interop/values.ts';
import { NO_UTF8 } from './bad-input-cases.ts';

failOnLeftovers();

const ANY = 'tcp://127.0.0.1:0';
const SESSION = '0123456789abcdef';

const beat = (fields: Record<string, unknown> = {}): Frame[] => [
  '',
  'heartbeat',
  JSON.stringify({
    node_id: 'f'.repeat(32),
    session_id: SESSION,
    node_type: 'client',
    last_heartbeat: Date.now(),
    missed_count: 0,
    ...fields,
  }),
];

const BAD_BEATS: Record<string, Frame[]> = {
  'an empty frame': [''],
  'three empty frames': ['', '', ''],
  'no data': ['', 'heartbeat'],
  'no delimiter': beat().slice(1),
  'another event': ['', 'echo', '{}'],
  'a name that is not UTF-8': ['', NO_UTF8, '{}'],
  'a name of 64 KiB': ['', 'n'.repeat(65_536), '{}'],
  'broken JSON': ['', 'heartbeat', '{"node_id":'],
  'an array': ['', 'heartbeat', '[]'],
  'JSON of 1,000 levels': ['', 'heartbeat', nested(1000)],
  'no fields': ['', 'heartbeat', '{}'],
  'a node id that is not a string': beat({ node_id: 7 }),
  'an empty node id': beat({ node_id: '' }),
  'a node id of 10,000 characters': beat({ node_id: 'f'.repeat(10_000) }),
  'a session id with a NUL': beat({ session_id: 'a\0b' }),
  'an unknown node type': beat({ node_type: 'emperor' }),
  'a time that is not a number': beat({ last_heartbeat: 'now' }),
  'a time before 1970': beat({ last_heartbeat: -1 }),
  'a count that is not a number': beat({ missed_count: {} }),
  '10,000 frames': Array.from({ length: 10_000 }, () => 'x'),
};

const TARGETS = {
  'a router': (heartbeatConfig: ZeroMQHeartbeatConfig) =>
    new ZeroMQRouter({ frontendConnection: ANY, backendConnection: ANY, heartbeatConfig }),
  'a server': (heartbeatConfig: ZeroMQHeartbeatConfig) =>
    new ZeroMQServer({ connection: ANY, handleMessage: () => null, heartbeatConfig }),
} as const;

for (const [target, make] of Object.entries(TARGETS)) {
  describe(`heartbeat port of ${target}`, () => {
    const scope = new Scope();
    const node = make(new ZeroMQHeartbeatConfig(ANY));
    let endpoint: string;
    let drops: Drops;

    before(async () => {
      drops = new Drops(scope);
      scope.after(() => node.stop({ deadline: 100 }));
      endpoint = (await node.start()).heartbeat ?? '';
    });
    after(() => scope.close());

    for (const [what, frames] of Object.entries(BAD_BEATS)) {
      it(`heartbeat port of ${target}: drops and counts ${what}`, async (t) => {
        const socket = rawDealer(scopeOf(t), endpoint);
        const before = drops.count('bad-heartbeat');
        await socket.send(frames);
        await drops.waitFor('bad-heartbeat', before + 1);
      });
    }

    it(`heartbeat port of ${target}: disconnects a peer that sends 64 MiB, and accepts its heartbeat after it reconnects`, async (t) => {
      const socket = rawDealer(scopeOf(t), endpoint);
      const cut = isCut(socket);
      await socket.send(['', 'heartbeat', Buffer.alloc(64 * 1024 * 1024, 0x20)]);
      await cut;
      const connected = once(node, 'peerConnected');
      await socket.send(beat({ node_id: '6'.repeat(32) }));
      assert.deepEqual(await connected, [`${'6'.repeat(32)}_${SESSION}`]);
    });

    it(`heartbeat port of ${target}: accepts a valid heartbeat, also with unknown fields and frames`, async (t) => {
      const socket = rawDealer(scopeOf(t), endpoint);
      const heard: string[] = [];
      for (const node_id of ['1'.repeat(32), '2'.repeat(32)]) {
        const connected = once(node, 'peerConnected');
        await socket.send([...beat({ node_id, colour: 'red' }), 'extra']);
        heard.push(...((await connected) as string[]));
      }
      assert.deepEqual(heard, [`${'1'.repeat(32)}_${SESSION}`, `${'2'.repeat(32)}_${SESSION}`]);
    });
  });
}

describe('heartbeats of workers', () => {
  const start = async (scope: Scope) => {
    const router = new ZeroMQRouter({
      frontendConnection: ANY,
      backendConnection: ANY,
      heartbeatConfig: new ZeroMQHeartbeatConfig(ANY),
    });
    scope.after(() => router.stop({ deadline: 100 }));
    const { frontend, backend, heartbeat = '' } = await router.start();
    const client = new ZeroMQClient({ ...PATIENT, connection: frontend });
    scope.after(() => client.close());
    await client.connect({ throwOnFailure: true, timeout: PATIENCE });
    return { router, backend, heartbeat, client };
  };

  /** Sends the heartbeat of a worker and waits until the router has received it. */
  const beatOf = async (scope: Scope, router: ZeroMQRouter, heartbeat: string, node_id: string) => {
    const connected = once(router, 'peerConnected');
    await rawDealer(scope, heartbeat).send(beat({ node_id, node_type: 'worker' }));
    await connected;
  };

  it('router: heartbeats of workers that are not connected cost no request', async (t) => {
    const scope = scopeOf(t);
    const { router, backend, heartbeat, client } = await start(scope);
    await beatOf(scope, router, heartbeat, '3'.repeat(32));
    const worker = await untilJoined(async () => rawDealer(scope, backend, 'connected'));
    const serve = async () => {
      for (let n = 0; n < 4; n += 1) {
        const request = await worker.receive();
        await worker.send([...request.slice(0, 3), '"served"']);
      }
    };
    const served = serve();
    for (let n = 0; n < 4; n += 1) assert.equal((await client.sendMessage('any', {})).eventData, 'served');
    await served;
  });

  it('router: a worker is accepted although its heartbeats arrive first', async (t) => {
    const scope = scopeOf(t);
    const { router, backend, heartbeat, client } = await start(scope);
    const node = '4'.repeat(32);
    await beatOf(scope, router, heartbeat, node);
    const worker = await untilJoined(async () => rawDealer(scope, backend, `${node}_${SESSION}`));
    const reply = client.sendMessage('any', {});
    const request = await worker.receive();
    await worker.send([...request.slice(0, 3), '"served"']);
    assert.equal((await reply).eventData, 'served');
  });
});
