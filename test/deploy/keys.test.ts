// test:all: 10 s; kubernetes.test.ts represents it
/** deploy/kubernetes/keys.sh: its Secrets and allow list match each other and the manifests. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { readToken } from '../../src/gateway/admin/index.ts';
import { AllowList, type AllowListDocument } from '../../src/transport/curve/allow-list.ts';
import { keyPairOf } from '../../src/transport/curve/keys.ts';
import { ROOT } from '../docs/pages.ts';
import { endpointIn, runCommand, startNode, urlIn } from '../helpers/command.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { Scope } from '../helpers/scope.ts';
import { KeyObjects } from './key-objects.ts';
import { type Container, manifestsIn } from './kubernetes.ts';

describe('keys.sh', () => {
  const scope = new Scope();
  const keys = new KeyObjects(scope);
  const { cluster, folder } = keys;
  const made = (name: string) => keys.made(name);
  const allowList = () =>
    new AllowList(parse(made('zeromq-allow-list').data['peers.yaml'] ?? '') as AllowListDocument);
  const publicKeyOf = (node: string) => made(`zeromq-${node}-keys`).data['public-key'] ?? '';

  /**
   * Runs what a container of a manifest runs, with its settings; gives the ready line. Ports are free ones here, names of Services
   * are where the router of this test listens, and mounted files are those that the script made.
   */
  async function start(file: string, places: Readonly<Record<number, string>> = {}): Promise<string> {
    const containers = manifestsIn(`base/${file}.yaml`).flatMap(
      ({ spec }) => spec?.template?.spec.containers ?? [],
    );
    const [{ args, env = [] }] = containers as [Container];
    const files: Record<string, string> = {
      '/etc/zeromq-gateway/peers.yaml': path.join(folder, 'peers.yaml'),
      '/run/secrets/zeromq-gateway/token': path.join(folder, 'admin-token'),
    };
    const here = (value = '') =>
      files[value] ??
      value
        .replace(/^dns:\/\/zeromq-router:(\d+)$/, (_, port: string) => places[Number(port)] ?? '')
        .replace(/^(tcp:\/\/)\*:\d+$/, '$1127.0.0.1:0')
        .replace(/^0\.0\.0\.0:9090$/, '0.0.0.0:0');
    const settings = env.map(({ name, value, valueFrom }) => {
      const { name: secret = '', key = '' } = valueFrom?.secretKeyRef ?? {};
      return [name, valueFrom === undefined ? here(value) : made(secret).data[key]] as const;
    });
    const variables = {
      ...Object.fromEntries(settings),
      ZMQ_GATEWAY_PORT: '0',
      ZMQ_GATEWAY_HOST: '127.0.0.1',
    };
    return (await startNode(scope, args, { env: variables, cwd: ROOT })).line;
  }

  before(() => keys.run());
  after(() => scope.close());

  it('creates a key pair for each kind of node', () => {
    const pairs = ['router', 'gateway', 'worker'].map((node) => {
      const { kind, namespace, data } = made(`zeromq-${node}-keys`);
      assert.deepEqual([kind, namespace], ['secret', 'zeromq']);
      return keyPairOf('key', data['secret-key'], data['public-key']).secretKey;
    });
    assert.equal(new Set(pairs).size, 3);
  });

  it('lists the public keys with the permissions of their nodes', () => {
    const list = allowList();
    const gateway = list.permissionsOf(publicKeyOf('gateway'), 'global');
    assert.deepEqual([gateway?.role, gateway?.mayCall('echo.get')], ['client', true]);
    const worker = list.permissionsOf(publicKeyOf('worker'), 'global');
    assert.deepEqual([worker?.mayServe('echo.get'), worker?.mayAnnounce('/echo/{message}')], [true, true]);
    assert.deepEqual([worker?.mayServe('tasks.get'), worker?.mayCall('echo.get')], [false, false]);
    const operator = readFileSync(path.join(folder, 'operator.key.pub'), 'utf8');
    const [, key = ''] = /public-key = "(.+)"/.exec(operator) ?? [];
    assert.equal(list.permissionsOf(key, 'global')?.role, 'admin');
    assert.equal(list.permissionsOf(publicKeyOf('router'), 'global'), undefined);
  });

  it('creates the objects that the manifests name, without keys in arguments', () => {
    const needed = ['router', 'gateway', 'worker'].flatMap((file) =>
      manifestsIn(`base/${file}.yaml`).flatMap(({ spec }) => {
        const { containers = [], volumes = [] } = spec?.template?.spec ?? {};
        const secrets = containers
          .flatMap(({ env = [] }) => env)
          .flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []);
        const lists = volumes.flatMap(({ configMap }) => configMap ?? []);
        const tokens = volumes.flatMap(({ secret }) => secret ?? []);
        return [
          ...secrets,
          ...lists.map(({ name }) => ({ name, key: 'peers.yaml' })),
          ...tokens.map(({ secretName: name }) => ({ name, key: 'token' })),
        ];
      }),
    );
    assert.equal(needed.length, 9);
    for (const { name, key } of needed) assert.ok(made(name).data[key], `${name}: ${key}`);
    const commands = readFileSync(path.join(cluster, 'commands'), 'utf8');
    assert.match(commands, /apply --server-side/);
    const token = made('zeromq-admin-token').data['token'] ?? '';
    assert.ok(!commands.includes(token));
    assert.equal(readToken(path.join(folder, 'admin-token')), token);
    for (const node of ['router', 'gateway', 'worker']) {
      for (const key of Object.values(made(`zeromq-${node}-keys`).data)) assert.ok(!commands.includes(key));
    }
    assert.ok(!readdirSync(cluster).includes('zeromq-operator-keys.json'), 'it stays with the operator');
  });

  it('creates keys with which the nodes and an operator can connect', async () => {
    const router = await start('router');
    const places = {
      5555: endpointIn(router, 'frontend'),
      5556: endpointIn(router, 'backend'),
      5557: endpointIn(router, 'heartbeat'),
    };
    await start('worker', places);
    const gateway = await start('gateway', places);
    const ask = () => fetch(`${urlIn(gateway)}/echo/hello`, { headers: { connection: 'close' } });
    let response = await ask();
    // The routes come with the first answer of the router.
    const until = Date.now() + PATIENCE;
    while (response.status === 404 && Date.now() < until) response = await ask();
    assert.deepEqual(await response.json(), { message: 'hello' });
    const keys = ['--curve-server-key', 'router.key.pub', '--curve-key', 'operator.key'];
    const asked = ['ps', '--json', '--to', places[5555], ...keys];
    const { code, stdout, stderr } = await runCommand(scope, asked, { cwd: folder });
    assert.equal(code, 0, stderr);
    assert.deepEqual(
      (JSON.parse(stdout) as { events: string[] }[]).map(({ events }) => events),
      [['echo.get', 'echo.post']],
    );
    const admin = endpointIn(router, 'admin').replace('0.0.0.0', '127.0.0.1');
    const authorization = `Bearer ${made('zeromq-admin-token').data['token']}`;
    assert.equal((await fetch(`${admin}/api/snapshot`)).status, 401);
    assert.equal((await fetch(`${admin}/api/snapshot`, { headers: { authorization } })).status, 200);
  });

  it('keeps the keys and applies a changed list when it runs again', () => {
    const before = publicKeyOf('gateway');
    const token = made('zeromq-admin-token').data;
    const file = path.join(folder, 'peers.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('calls: ["*"]', 'calls: ["tasks.*"]'));
    keys.run();
    assert.equal(publicKeyOf('gateway'), before);
    assert.deepEqual(made('zeromq-admin-token').data, token);
    assert.equal(allowList().permissionsOf(before, 'global')?.mayCall('echo.get'), false);
  });
});
