// test:all: 20 s; test/interop/curve.test.ts and test/integration/curve.test.ts represent it
/** CURVE on the command line: keys, allow lists and listen addresses. */
import assert from 'node:assert/strict';
import { chmodSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readKeyFile } from '../../../src/index.ts';
import { endpointIn, FREE_PORTS, runCommand, startNode } from '../../helpers/command.ts';
import { allowed, PATIENCE } from '../../helpers/patience.ts';
import { runCommandHere } from '../../helpers/run-command-here.ts';
import { scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

const SAMPLE = fileURLToPath(new URL('../../../workers/echo.ts', import.meta.url));

const OPEN = ['--frontend', 'tcp://*:0'];

async function keygen(cwd: string, name: string): Promise<string> {
  const { code, stdout, stderr } = await runCommandHere(['keygen', `${name}.key`], { cwd });
  assert.equal(code, 0, stderr);
  return stdout;
}

function allow(cwd: string, peers: readonly object[]): void {
  writeFileSync(join(cwd, 'next'), JSON.stringify({ peers }));
  renameSync(join(cwd, 'next'), join(cwd, 'peers.json'));
}

describe('keygen', () => {
  it('writes key files, prints the public key and does not overwrite files', async (t) => {
    const scope = scopeOf(t);
    const cwd = tempFolder(scope);
    const { code, stdout: publicKey, stderr } = await runCommand(scope, ['keygen', 'a.key'], { cwd });
    assert.equal(code, 0, stderr);
    const pair = readKeyFile(join(cwd, 'a.key'));
    assert.equal(pair.publicKey, publicKey);
    assert.equal(statSync(join(cwd, 'a.key')).mode & 0o777, 0o600);
    const again = await runCommandHere(['keygen', 'a.key'], { cwd });
    assert.equal(again.code, 2);
    assert.match(again.stderr, /a\.key: cannot be written: the file exists/);
    assert.deepEqual(readKeyFile(join(cwd, 'a.key')), pair);
  });
});

describe('a router with keys', () => {
  it('accepts the keys on its allow list and follows changes of the file', async (t) => {
    const scope = scopeOf(t);
    const cwd = tempFolder(scope);
    const [, client, worker] = [
      await keygen(cwd, 'router'),
      await keygen(cwd, 'client'),
      await keygen(cwd, 'worker'),
    ];
    const workerEntry = {
      name: 'echo',
      publicKey: worker,
      role: 'worker',
      serves: ['echo.*'],
      paths: ['/echo'],
    };
    allow(cwd, [workerEntry]);
    const { node, line } = await startNode(
      scope,
      ['router', ...FREE_PORTS, '--curve-key', 'router.key', '--allow-list', 'peers.json', ...OPEN],
      { cwd },
    );
    const frontend = endpointIn(line, 'frontend').replace('0.0.0.0', '127.0.0.1');
    const keys = (name: string) => ['--curve-server-key', 'router.key.pub', '--curve-key', `${name}.key`];
    await startNode(scope, ['worker', SAMPLE, '--router', endpointIn(line, 'backend'), ...keys('worker')], {
      cwd,
    });
    const call = (...args: string[]) =>
      runCommandHere(['call', 'echo.get', '{"message":"7"}', '--to', frontend, ...args], { cwd });
    const brief = ['--timeout', String(Math.round(allowed(5000)))];
    const stranger = await call(...brief, ...keys('client'));
    assert.equal(stranger.code, 1);
    assert.match(
      stranger.stderr,
      /^error: NO_ROUTER: .*: CURVE handshake failed: the other side rejects the public key/,
    );
    assert.match(
      (await call(...brief)).stderr,
      /NO_ROUTER: .* requires encryption,? and this node has no keys/,
    );
    allow(cwd, [workerEntry, { name: 'me', publicKey: client, role: 'client', calls: ['echo.*'] }]);
    await node.waitForError(/reloaded the allow list/);
    const { code, stdout, stderr } = await call(...keys('client'));
    assert.equal(code, 0, stderr);
    assert.match(stdout, /"7"/);
    allow(cwd, [{ ...workerEntry, role: 'king' }]);
    await node.waitForError(/cannot reload the allow list/);
    assert.match((await call(...keys('client'))).stdout, /"7"/);
    const secrets = ['router', 'client', 'worker'].map(
      (name) => readKeyFile(join(cwd, `${name}.key`)).secretKey,
    );
    for (const secret of secrets) assert.ok(!(node.stderr + node.lines.join('')).includes(secret));
  });

  it('gives the types of its contracts to clients on its allow list, and to no others', async (t) => {
    const scope = scopeOf(t);
    const cwd = tempFolder(scope);
    await keygen(cwd, 'router');
    const [worker, client] = [await keygen(cwd, 'worker'), await keygen(cwd, 'client')];
    await keygen(cwd, 'stranger');
    allow(cwd, [
      { name: 'echo', publicKey: worker, role: 'worker', serves: ['echo.*'], paths: ['/echo'] },
      { name: 'caller', publicKey: client, role: 'client', calls: [] },
    ]);
    const { line } = await startNode(
      scope,
      ['router', ...FREE_PORTS, '--curve-key', 'router.key', '--allow-list', 'peers.json'],
      { cwd },
    );
    const keys = (name: string) => ['--curve-server-key', 'router.key.pub', '--curve-key', `${name}.key`];
    await startNode(scope, ['worker', SAMPLE, '--router', endpointIn(line, 'backend'), ...keys('worker')], {
      cwd,
    });
    const from = ['types', '--from', endpointIn(line, 'frontend')];
    const types = (name: string, ...more: string[]) =>
      runCommandHere([...from, ...keys(name), ...more], { cwd });
    const permitted = await types('client', '--timeout', String(PATIENCE));
    assert.equal(permitted.code, 0, permitted.stderr);
    assert.match(permitted.stdout, /^ {2}'echo\.get': \{\n {4}data: \{/m);
    for (const refused of [await types('stranger'), await runCommandHere(from, { cwd })]) {
      assert.deepEqual([refused.code, refused.stdout], [1, '']);
      assert.match(refused.stderr, /NO_ROUTER/);
    }
  });

  it('reads its key from the environment and never prints it', async (t) => {
    const scope = scopeOf(t);
    const cwd = tempFolder(scope);
    await keygen(cwd, 'router');
    const { secretKey, publicKey } = readKeyFile(join(cwd, 'router.key'));
    const { node, line } = await startNode(scope, ['router', ...FREE_PORTS, '--log-level', 'trace'], {
      cwd,
      env: { ZMQ_GATEWAY_CURVE_SECRET_KEY: secretKey },
    });
    assert.match(node.stderr, /no allow list is configured/);
    assert.ok(!node.stderr.includes(secretKey));
    const to = endpointIn(line, 'frontend');
    const answer = await runCommandHere([
      'call',
      '$router.ping',
      '--to',
      to,
      '--curve-server-key',
      publicKey,
    ]);
    assert.match(answer.stdout, /"router"/);
    const bad = `${secretKey.slice(0, 39)}~`;
    const refused = await runCommandHere(['router', ...FREE_PORTS], {
      env: { ZMQ_GATEWAY_CURVE_SECRET_KEY: bad },
    });
    assert.equal(refused.code, 2);
    assert.match(
      refused.stderr,
      /curveSecretKey: the value \(from ZMQ_GATEWAY_CURVE_SECRET_KEY\) is invalid/,
    );
    assert.ok(!refused.stderr.includes(bad.slice(0, 10)));
  });

  it('does not start with a key file that others can read', async (t) => {
    const scope = scopeOf(t);
    const cwd = tempFolder(scope);
    await keygen(cwd, 'router');
    chmodSync(join(cwd, 'router.key'), 0o644);
    const { code, stderr } = await runCommandHere(['router', ...FREE_PORTS, '--curve-key', 'router.key'], {
      cwd,
    });
    assert.equal(code, 2);
    assert.match(stderr, /users other than the owner can access the secret key \(mode 0644\); run chmod 600/);
  });
});

describe('encryption', () => {
  it('is required for a router on other interfaces than loopback, unless --insecure is set', async (t) => {
    const scope = scopeOf(t);
    writeFileSync(join(tempFolder(scope), 'x'), '');
    for (const [args, fault] of [
      [['router', ...FREE_PORTS, ...OPEN], /frontend: tcp:\/\/\*:0 is reachable .*--curve-key.*--insecure/],
      [
        ['router', ...FREE_PORTS, '--backend', 'tcp://0.0.0.0:0'],
        /backend: tcp:\/\/0\.0\.0\.0:0 is reachable/,
      ],
      [['router', ...FREE_PORTS, '--heartbeat', 'tcp://[::]:0'], /heartbeat: tcp:\/\/\[::\]:0 is reachable/],
      [['up', '--port', '0', ...FREE_PORTS, ...OPEN], /frontend: tcp:\/\/\*:0 is reachable/],
      [['router', ...FREE_PORTS, '--allow-list', '/dev/null'], /allowList/],
    ] as const) {
      const { code, stderr } = await runCommandHere(args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, fault);
    }
    const { line } = await startNode(scope, ['router', ...FREE_PORTS, ...OPEN, '--insecure']);
    assert.match(line, /frontend tcp:\/\/0\.0\.0\.0:/);
  });

  it('is required for a server on other interfaces than loopback', async (t) => {
    const scope = scopeOf(t);
    const cwd = tempFolder(scope);
    writeFileSync(join(cwd, 'w.mjs'), "export default { handlers: { 'echo.get': (data) => data } };\n");
    const refused = await runCommandHere(['server', 'w.mjs', '--bind', 'tcp://*:0'], { cwd });
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /bind: tcp:\/\/\*:0 is reachable/);
  });

  it('needs the public key of the server at a node with a key pair', async (t) => {
    const scope = scopeOf(t);
    const cwd = tempFolder(scope);
    await keygen(cwd, 'a');
    const to = ['--to', 'tcp://127.0.0.1:5555', '--curve-key', 'a.key'];
    const { code, stderr } = await runCommandHere(['call', 'x', ...to], { cwd });
    assert.equal(code, 2);
    assert.match(stderr, /curveServerKey is missing/);
  });
});
