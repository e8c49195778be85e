/**
 * Classic peers with CURVE keys, from files that keygen wrote, at a native router with an allow
 * list.
 */
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type CurveKeyPair, writeKeyFiles, ZeroMQHeartbeatConfig } from '../../src/index.ts';
import {
  ClassicClients,
  type ClassicKeys,
  ClassicWorker,
  NEEDS_CLASSIC,
  PYTHON,
} from '../helpers/classic.ts';
import { within } from '../helpers/eventually.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { startProcess } from '../helpers/processes.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { CLIENT, keysOf, SERVER, STRANGER, startGuarded, WORKER } from '../integration/curve-nodes.ts';
import { makeClient, nextEvent } from '../integration/framework.ts';

function fileOf(scope: Scope, pair: CurveKeyPair): ClassicKeys {
  const file = join(tempFolder(scope), 'node.key');
  writeKeyFiles(file, pair);
  return { file, serverKey: SERVER.publicKey };
}

const PEERS = [
  { name: 'client', publicKey: CLIENT.publicKey, role: 'client', calls: ['*'] },
  { name: 'worker', publicKey: WORKER.publicKey, role: 'worker', serves: ['x.echo', 'y.echo'] },
] as const;

describe('classic peers with CURVE keys', NEEDS_CLASSIC, () => {
  it('classic peers with CURVE keys: requests, replies and heartbeats pass', async (t) => {
    const scope = scopeOf(t);
    const heartbeatConfig = new ZeroMQHeartbeatConfig('tcp://127.0.0.1:0');
    const { router, frontend, backend, heartbeat } = await startGuarded(scope, PEERS, { heartbeatConfig });
    const beating = new Promise((resolve) => router.on('peerConnected', resolve));
    const joined = new Promise<readonly string[]>((resolve) =>
      router.on('workerJoined', (_worker, { events }) => resolve(events)),
    );
    const worker = await ClassicWorker.start(scope, backend, {
      heartbeat: String(heartbeat),
      keys: fileOf(scope, WORKER),
    });
    assert.equal(await within(beating, 'a heartbeat'), worker.identity);
    // A classic worker cannot announce its events: its entry in the allow list does.
    assert.deepEqual(await within(joined, 'a worker'), ['x.echo', 'y.echo']);
    const clients = await ClassicClients.start(scope, frontend, { keys: fileOf(scope, CLIENT) });
    assert.deepEqual((await clients.request('x.echo', { a: 1 })).data, { a: 1 });
    const refused = await clients.request('z.echo', 1);
    assert.match(JSON.stringify(refused.data), /NO_WORKER/);
  });

  it('classic client with a CURVE key: learns which events it may not call, and gets no reply if its key is not listed', async (t) => {
    const scope = scopeOf(t);
    const [, worker] = PEERS;
    const client = { ...PEERS[0], calls: ['x.*'] };
    const { frontend, backend } = await startGuarded(scope, [client, worker]);
    await ClassicWorker.start(scope, backend, { keys: fileOf(scope, WORKER) });
    const ours = makeClient(scope, { connection: frontend, curve: keysOf(CLIENT) });
    await ours.connect({ timeout: PATIENCE });
    const clients = await ClassicClients.start(scope, frontend, { keys: fileOf(scope, CLIENT) });
    assert.match(JSON.stringify((await clients.request('y.echo', 1)).data), /NOT_PERMITTED/);
    const strangers = await ClassicClients.start(scope, frontend, { keys: fileOf(scope, STRANGER) });
    assert.equal((await strangers.request('x.echo', 1, { timeout: 500 })).error, 'timeout');
    const plain = await ClassicClients.start(scope, frontend);
    assert.equal((await plain.request('x.echo', 1, { timeout: 500 })).error, 'timeout');
  });

  it('classic workers with a shared key: are bound to events by node id, within the permissions of the key', async (t) => {
    const scope = scopeOf(t);
    const node = 'b'.repeat(32);
    const worker = { ...PEERS[1], serves: ['x.*', 'y.echo'] };
    const options = { classicEvents: { [node]: ['x.echo', 'z.echo'] } };
    const { router, backend } = await startGuarded(scope, [PEERS[0], worker], options);
    const joined = nextEvent(router, 'workerJoined');
    const config = join(tempFolder(scope), 'config.ini');
    writeFileSync(config, `[worker]\nnode_id = ${node}\n`);
    await ClassicWorker.start(scope, backend, { keys: fileOf(scope, WORKER), config });
    assert.deepEqual(((await joined)[1] as { events: unknown }).events, ['x.echo']);
  });

  it('classic worker whose entry names no complete event: gets no requests', async (t) => {
    const scope = scopeOf(t);
    const worker = { ...PEERS[1], serves: ['x.*'] };
    const { router, frontend, backend } = await startGuarded(scope, [PEERS[0], worker]);
    await ClassicWorker.start(scope, backend, { keys: fileOf(scope, WORKER) });
    const client = makeClient(scope, { connection: frontend, curve: keysOf(CLIENT) });
    await assert.rejects(client.sendMessage('x.echo', 1), { code: 'NO_WORKER' });
    assert.equal(router.stats().workers, 0);
  });
});

describe('workers/python/inventory_classic.py with CURVE keys', NEEDS_CLASSIC, () => {
  const SCRIPT = join(import.meta.dirname, '../../workers/python/inventory_classic.py');
  const PEERS = [
    { name: 'client', publicKey: CLIENT.publicKey, role: 'client', calls: ['*'] },
    { name: 'inventory', publicKey: WORKER.publicKey, role: 'worker', serves: ['inventory.get'] },
  ] as const;

  /** Starts the script with these flags and variables. It leaves no files behind. */
  const start = (scope: Scope, flags: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    startProcess(scope, PYTHON ?? '', [SCRIPT, ...flags], {
      env: { ZMQ_GATEWAY_DATA: tempFolder(scope), PYTHONDONTWRITEBYTECODE: '1', ...env },
    });

  for (const by of ['flags', 'environment'] as const) {
    it(`inventory_classic.py with CURVE keys: serves and sends heartbeats; keys come from ${by}`, async (t) => {
      const scope = scopeOf(t);
      const heartbeatConfig = new ZeroMQHeartbeatConfig('tcp://127.0.0.1:0');
      const { router, frontend, backend, heartbeat } = await startGuarded(scope, PEERS, { heartbeatConfig });
      const beating = nextEvent(router, 'peerConnected');
      const joined = nextEvent(router, 'workerJoined');
      const { file, serverKey } = fileOf(scope, WORKER);
      const links = ['--router', backend, '--heartbeat', String(heartbeat)];
      // The server's key itself, or the public file that keygen writes.
      if (by === 'flags') {
        const { file: ofServer } = fileOf(scope, SERVER);
        start(scope, [...links, '--curve-server-key', `${ofServer}.pub`, '--curve-key', file]);
      } else start(scope, links, { ZMQ_GATEWAY_CURVE_SERVER_KEY: serverKey, ZMQ_GATEWAY_CURVE_KEY: file });
      assert.deepEqual((await joined)[0], (await beating)[0]);
      const client = makeClient(scope, { connection: frontend, curve: keysOf(CLIENT) });
      const { eventData } = await client.sendMessage('inventory.get', { sku: 'bolt-m6' });
      assert.deepEqual(eventData, { sku: 'bolt-m6', quantity: 1200 });
      await assert.rejects(client.sendMessage('inventory.list', {}), { code: 'NO_WORKER' });
    });
  }

  it('inventory_classic.py with CURVE keys: rejects invalid keys without printing them', async (t) => {
    const scope = scopeOf(t);
    const { file, serverKey } = fileOf(scope, WORKER);
    const { file: open } = fileOf(scope, WORKER);
    chmodSync(open, 0o644);
    for (const [server, key, message] of [
      [serverKey, '', /go together/],
      ['', file, /go together/],
      ['short', file, /neither a file nor a public key/],
      [serverKey, open, /can be read by others/],
      [serverKey, `${file}.pub`, /can be read by others|holds no secret key/],
      [serverKey, '/nowhere.key', /\/nowhere\.key/],
    ] as const) {
      const script = start(scope, [`--curve-server-key=${server}`, `--curve-key=${key}`]);
      assert.equal((await script.exited).code, 1, script.stderr);
      assert.match(script.stderr, /^error: .+\n$/);
      assert.match(script.stderr, message);
      assert.ok(!script.stderr.includes(WORKER.secretKey));
    }
  });
});
