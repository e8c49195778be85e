/**
 * The classic peers of the tests against each other. They behave as docs/protocol/index.md says, so
 * that the other tests that use them are valid.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Reply, Request } from 'zeromq';
import {
  ClassicClients,
  ClassicRouter,
  ClassicServer,
  ClassicWorker,
  NEEDS_CLASSIC,
} from '../helpers/classic.ts';
import { anyEndpoint, TRANSPORTS } from '../helpers/endpoints.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { rawBackend, rawDealer, texts } from '../helpers/raw.ts';
import { scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { NESTED } from './values.ts';

failOnLeftovers();

describe('classic peers', NEEDS_CLASSIC, () => {
  for (const transport of TRANSPORTS) {
    it(`classic peers: client × router × worker over ${transport}, with heartbeats`, async (t) => {
      const scope = scopeOf(t);
      const any = () => anyEndpoint(scope, transport);
      const router = await ClassicRouter.start(scope, any(), any(), { heartbeat: any() });
      const beats = { heartbeat: router.heartbeat, interval: 50 };
      const worker = await ClassicWorker.start(scope, router.backend, beats);
      const clients = await ClassicClients.start(scope, router.frontend, beats);
      assert.deepEqual(await clients.request('echo', NESTED), { event: 'echo', data: NESTED, frames: 2 });

      const beat = await router.waitForLine(
        (line) => (line['heartbeat'] as { node_type?: string } | undefined)?.node_type === 'worker',
        2,
      );
      const payload = beat['heartbeat'] as Record<string, unknown>;
      assert.equal(`${String(payload['node_id'])}_${String(payload['session_id'])}`, worker.identity);
      assert.match(worker.identity, /^[0-9a-f]{32}_[0-9a-f]{16}$/);
      assert.deepEqual(Object.keys(payload).sort(), [
        'last_heartbeat',
        'missed_count',
        'node_id',
        'node_type',
        'session_id',
      ]);
      assert.equal(beat['frames'], 4, '[identity, "", "heartbeat", json]');
    });

    it(`classic peers: client × server over ${transport}`, async (t) => {
      const scope = scopeOf(t);
      const server = await ClassicServer.start(scope, anyEndpoint(scope, transport));
      const clients = await ClassicClients.start(scope, server.endpoint);
      for (let n = 0; n < 3; n += 1) {
        assert.deepEqual(await clients.request('echo', { n, ...NESTED }), {
          event: 'echo',
          data: { n, ...NESTED },
          frames: 2,
        });
      }
    });
  }

  it('classic router: serves 64 clients at once with two workers in turn', async (t) => {
    const scope = scopeOf(t);
    const router = await ClassicRouter.start(scope, anyEndpoint(scope, 'tcp'), anyEndpoint(scope, 'tcp'));
    const workers = [
      await ClassicWorker.start(scope, router.backend),
      await ClassicWorker.start(scope, router.backend),
    ];
    const clients = await ClassicClients.start(scope, router.frontend, { clients: 64 });
    const pids = new Set<unknown>();
    const ask = async (client: number) => {
      const { data } = await clients.request('whoami', null, { client });
      pids.add((data as { pid: number }).pid);
    };
    while (pids.size < 2) await ask(0); // Both workers are connected then.
    pids.clear();
    await Promise.all(clients.identities.map((_, client) => ask(client)));
    assert.equal(clients.identities.length, 64);
    assert.deepEqual(pids, new Set(workers.map((worker) => worker.pid)));
  });

  it('classic worker: drops messages with fewer than 4 frames or invalid JSON, and serves the next', async (t) => {
    const scope = scopeOf(t);
    const { socket: router, endpoint } = await rawBackend(scope);
    const worker = await ClassicWorker.start(scope, endpoint);
    await router.send(['client', '', 'echo']);
    await router.send(['client', '', 'echo', '{"broken']);
    await router.send(['client', '', 'echo', '{"good":true}']);
    assert.deepEqual(texts(await router.receive()), ['client', '', 'echo', '{"good": true}']);
    const dropped = (count: number) => worker.waitForLine((line) => 'dropped' in line, count);
    assert.deepEqual(
      [(await dropped(1))['dropped'], (await dropped(2))['dropped']],
      [3, 4],
      'frames of each message',
    );
  });

  it('classic worker: returns the first two frames unchanged and ignores a trailing frame', async (t) => {
    const scope = scopeOf(t);
    const { socket: router, endpoint } = await rawBackend(scope);
    await ClassicWorker.start(scope, endpoint);
    const token = Buffer.from([0, 255, 1, 254]);
    await router.send([token, '', 'echo', '[1]', '{"version":1}']);
    const reply = await router.receive();
    assert.deepEqual(reply[0], token);
    assert.deepEqual(texts(reply.slice(1)), ['', 'echo', '[1]']);
  });

  it('classic nodes: correlation frames are lost behind a router and returned by a server', async (t) => {
    const scope = scopeOf(t);
    const router = await ClassicRouter.start(scope, anyEndpoint(scope, 'tcp'), anyEndpoint(scope, 'tcp'));
    await ClassicWorker.start(scope, router.backend);
    const server = await ClassicServer.start(scope, anyEndpoint(scope, 'tcp'));
    const seen: string[][] = [];
    for (const endpoint of [router.frontend, server.endpoint]) {
      const client = rawDealer(scope, endpoint);
      await client.send(['rid-1', '', 'echo', '{}']);
      seen.push(texts(await client.receive()));
    }
    assert.deepEqual(seen, [
      ['', 'echo', '{}'],
      ['rid-1', '', 'echo', '{}'],
    ]);
  });

  it('classic client: ignores a trailing frame', async (t) => {
    const scope = scopeOf(t);
    const server = new Reply({ linger: 0, receiveTimeout: PATIENCE });
    scope.after(() => server.close());
    await server.bind('tcp://127.0.0.1:*');
    const clients = await ClassicClients.start(scope, server.lastEndpoint ?? '');
    const answer = clients.request('echo', {});
    assert.deepEqual(texts(await server.receive()), ['echo', '{}']);
    await server.send(['echo', '{"n":1}', '{"status":200}']);
    assert.deepEqual(await answer, { event: 'echo', data: { n: 1 }, frames: 3 });
  });

  it('classic client: is unusable after a timeout until its socket is replaced', async (t) => {
    const scope = scopeOf(t);
    const router = await ClassicRouter.start(scope, anyEndpoint(scope, 'tcp'), anyEndpoint(scope, 'tcp'));
    await ClassicWorker.start(scope, router.backend);
    const clients = await ClassicClients.start(scope, router.frontend);
    assert.equal((await clients.request('mute', {}, { timeout: 50 })).error, 'timeout');
    assert.equal((await clients.request('echo', {})).error, 'unusable');
    await clients.rebuild();
    assert.deepEqual((await clients.request('echo', 'again')).data, 'again');
  });

  it('classic server: one message with invalid JSON makes it unusable', async (t) => {
    const scope = scopeOf(t);
    const server = await ClassicServer.start(scope, anyEndpoint(scope, 'tcp'));
    const client = new Request({ linger: 0 });
    scope.after(() => client.close());
    client.connect(server.endpoint);
    await client.send(['echo', '{"broken']);
    await server.waitForLine((line) => 'bricked' in line);
    const clients = await ClassicClients.start(scope, server.endpoint);
    assert.equal((await clients.request('echo', {}, { timeout: 100 })).error, 'timeout');
  });

  it('classic nodes: store their node ids in config.ini and keep its other content', async (t) => {
    const scope = scopeOf(t);
    const config = join(tempFolder(scope), 'config.ini');
    writeFileSync(config, '[other]\nkey = value\n');
    const server = await ClassicServer.start(scope, anyEndpoint(scope, 'tcp'), { config });
    const first = await ClassicClients.start(scope, server.endpoint, { config });
    const second = await ClassicClients.start(scope, server.endpoint, { config });
    const [a, b] = [first.identities[0] ?? '', second.identities[0] ?? ''];
    assert.equal(a.split('_')[0], b.split('_')[0], 'one node');
    assert.notEqual(a, b, 'two sessions');
    const kept = readFileSync(config, 'utf8');
    assert.match(kept, /\[other\]\nkey = value/);
    assert.match(kept, new RegExp(`\\[client\\]\\nnode_id = ${a.split('_')[0]}`));
    assert.match(kept, /\[server\]\nnode_id = [0-9a-f]{32}/);
  });
});
