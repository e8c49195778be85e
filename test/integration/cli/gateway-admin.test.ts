// test:all: 20 s; health.test.ts represents it
/** The admin listener of gateways: the connected routers, as far as they permit the gateway's key. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Snapshot } from '../../../src/gateway/admin/index.ts';
import { writeKeyFiles } from '../../../src/transport/curve/key-file.ts';
import { curveKeyPair } from '../../../src/transport/curve/keys.ts';
import { endpointIn, FREE_PORTS, startNode } from '../../helpers/command.ts';
import { PATIENCE } from '../../helpers/patience.ts';
import { type Scope, scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

const ECHO = fileURLToPath(new URL('../../../workers/echo.ts', import.meta.url));

/** Client of a gateway's admin listener, used like the dashboard uses it. */
class Admin {
  constructor(private readonly url: string) {}

  async snapshot(): Promise<Snapshot> {
    return (await (await fetch(`${this.url}/api/snapshot`)).json()) as Snapshot;
  }

  /** Asks until a snapshot is as wanted: contracts and workers take an instant to be known everywhere. */
  async when(wanted: (snapshot: Snapshot) => boolean): Promise<Snapshot> {
    const until = Date.now() + PATIENCE;
    for (;;) {
      const snapshot = await this.snapshot();
      if (wanted(snapshot)) return snapshot;
      assert.ok(Date.now() < until, JSON.stringify(snapshot));
    }
  }

  async act(path: string, body: object): Promise<{ status: number; detail?: string }> {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${this.url}/api/${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return { status: response.status, detail: ((await response.json()) as { detail?: string }).detail };
  }

  contract(name: string): Promise<Response> {
    return fetch(`${this.url}/api/contracts/${name}`);
  }
}

interface Options {
  cwd?: string;
}

async function startGateway(scope: Scope, routers: string[], args: string[] = [], options: Options = {}) {
  const listen = ['--port', '0', '--admin', '127.0.0.1:0'];
  const to = routers.flatMap((router) => ['--router', router]);
  const { line } = await startNode(scope, ['gateway', ...to, ...listen, ...args], options);
  return new Admin(endpointIn(line, 'admin'));
}

async function startEcho(scope: Scope, backends: string[], args: string[] = [], options: Options = {}) {
  const to = backends.flatMap((backend) => ['--router', backend]);
  return (await startNode(scope, ['worker', ECHO, ...to, ...args], options)).node;
}

const workersOf = ({ routers }: Snapshot) => routers.flatMap(({ workers }) => workers);
const statesOf = (snapshot: Snapshot) => workersOf(snapshot).map(({ state }) => state);
const served = ({ routers }: Snapshot) =>
  routers.length > 0 && routers.every(({ contracts }) => contracts.some(({ available }) => available));

/** Drains, pauses and reads through the listener of a gateway, and checks the effects. */
async function operate(admin: Admin): Promise<void> {
  const [worker] = workersOf(await admin.when(served));
  assert.ok(worker);
  const { id } = worker;
  const all = (state: string) => (snapshot: Snapshot) => statesOf(snapshot).every((one) => one === state);
  assert.deepEqual(await admin.act(`workers/${id}/drain`, { drain: true }), {
    status: 200,
    detail: undefined,
  });
  assert.ok(all('draining')(await admin.snapshot()));
  assert.equal((await admin.act(`workers/${id}/drain`, { drain: false })).status, 200);
  assert.ok(all('ready')(await admin.snapshot()));
  assert.equal((await admin.act('events/echo.get/pause', { pause: true })).status, 200);
  const paused = (await admin.snapshot()).routers.map(({ events }) => events.map((event) => event.paused));
  assert.deepEqual(new Set(paused.map((one) => one.join())), new Set(['true,false']));
  assert.equal((await admin.act('events/echo.get/pause', { pause: false })).status, 200);
  assert.equal((await admin.act('workers/unknown/drain', { drain: true })).status, 404);
  const contract = await admin.contract('echo');
  assert.equal(contract.status, 200);
  assert.match(await contract.text(), /"x-event-name":"echo.get"/);
  assert.equal((await admin.contract('nothing')).status, 404);
}

describe('admin listener of a gateway', () => {
  it('shows its routers, acts on their workers and events, and reports a departed worker', async (t) => {
    const scope = scopeOf(t);
    const routers: { line: string }[] = [];
    for (let count = 0; count < 2; count += 1)
      routers.push(await startNode(scope, ['router', ...FREE_PORTS]));
    const at = (name: string) => routers.map(({ line }) => endpointIn(line, name));
    const worker = await startEcho(scope, at('backend'));
    const admin = await startGateway(scope, at('frontend'));
    const { gateways, routers: shown, unavailable } = await admin.when((one) => workersOf(one).length === 2);
    assert.deepEqual([gateways.length, shown.length, unavailable], [1, 2, []]);
    await operate(admin);
    worker.kill('SIGKILL');
    const { departed } = await admin.when((snapshot) => snapshot.departed.length > 0);
    assert.match(departed[0]?.reason ?? '', /no longer known to the router/);
  });

  it('does so for a cluster through any member', async (t) => {
    const scope = scopeOf(t);
    const { line } = await startNode(scope, ['router', ...FREE_PORTS]);
    await startEcho(scope, [endpointIn(line, 'backend')]);
    const admin = await startGateway(scope, [endpointIn(line, 'frontend')], ['--processes', '2']);
    const { gateways, routers } = await admin.when((one) => workersOf(one).length > 0);
    assert.deepEqual([gateways.length, routers.length], [2, 1]);
    await operate(admin);
  });
});

/** A router whose allow list has a gateway and an operator, and a worker. */
async function guarded(t: TestContext) {
  const scope = scopeOf(t);
  const cwd = tempFolder(scope);
  const publicKeys = ['router', 'gateway', 'operator', 'echo'].map((name) => {
    const pair = curveKeyPair();
    writeKeyFiles(path.join(cwd, `${name}.key`), pair);
    return pair.publicKey;
  });
  const rights = [
    { name: 'gateway', role: 'client', calls: ['*'] },
    { name: 'operator', role: 'admin' },
    { name: 'echo', role: 'worker', serves: ['echo.*'], paths: ['/echo'] },
  ];
  const peers = rights.map((entry, index) => ({ ...entry, publicKey: publicKeys[index + 1] }));
  writeFileSync(path.join(cwd, 'peers.json'), JSON.stringify({ peers }));
  const keys = ['--curve-key', 'router.key', '--allow-list', 'peers.json'];
  const { line } = await startNode(scope, ['router', ...FREE_PORTS, ...keys], { cwd });
  const keysOf = (name: string) => ['--curve-server-key', 'router.key.pub', '--curve-key', `${name}.key`];
  await startEcho(scope, [endpointIn(line, 'backend')], keysOf('echo'), { cwd });
  const gatewayWith = (name: string) =>
    startGateway(scope, [endpointIn(line, 'frontend')], keysOf(name), { cwd });
  return { gatewayWith };
}

describe('admin listener of a gateway whose router requires keys', () => {
  it("with a client's key, reports why it shows nothing, rejects actions and shows contracts", async (t) => {
    const { gatewayWith } = await guarded(t);
    const admin = await gatewayWith('gateway');
    const { routers, unavailable } = await admin.when(
      (one) => (one.unavailable[0]?.contracts.length ?? 0) > 0,
    );
    assert.deepEqual(routers, []);
    assert.match(unavailable[0]?.router ?? '', /^tcp:/);
    assert.match(unavailable[0]?.reason ?? '', /^NOT_PERMITTED: the key of gateway does not allow calling/);
    assert.deepEqual(unavailable[0]?.contracts, [{ name: 'echo', available: true }]);
    assert.equal((await admin.contract('echo')).status, 200);
    for (const [action, body] of [
      ['workers/any/drain', { drain: true }],
      ['events/echo.get/pause', { pause: true }],
    ] as const) {
      const { status, detail } = await admin.act(action, body);
      assert.equal(status, 403);
      assert.match(detail ?? '', /^tcp:\S+: NOT_PERMITTED: the key of gateway/);
    }
  });

  it("with an admin's key, shows everything and permits all actions", async (t) => {
    const { gatewayWith } = await guarded(t);
    await operate(await gatewayWith('operator'));
  });
});
