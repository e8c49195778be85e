// test:all: 60 s; up.test.ts and dev.test.ts represent it
/** Signals to commands: with requests in flight, in several processes and through npm. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FREE_PORTS, startCommand, startNode, urlIn } from '../../helpers/command.ts';
import { allowed, PATIENCE } from '../../helpers/patience.ts';
import { childrenOf, ended } from '../../helpers/process-table.ts';
import { type RunningProcess, startProcess } from '../../helpers/processes.ts';
import { scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Replies when the file `go` appears beside it, and prints a line when it begins. */
const SLOW = `
import { existsSync } from 'node:fs';
import { defineWorker } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)};
const go = new URL('./go', import.meta.url);
export default defineWorker({
  handlers: {
    slow: async () => {
      console.error('slow begins');
      while (!existsSync(go)) await new Promise((resolve) => setTimeout(resolve, 10));
      return 'done';
    },
  },
});
`;

const DOCUMENT = `
openapi: 3.1.0
info: { title: Slow, version: 1.0.0 }
paths: { /slow: { get: { x-event-name: slow, x-timeout-ms: 30000, responses: { "200": { description: Done } } } } }
`;

/** \`up\` with a request in flight in its worker. */
async function busy(t: TestContext) {
  const scope = scopeOf(t);
  const folder = tempFolder(scope);
  writeFileSync(path.join(folder, 'slow.mjs'), SLOW);
  writeFileSync(path.join(folder, 'slow.yaml'), DOCUMENT);
  const args = ['up', '--port', '0', ...FREE_PORTS, '--workers', folder, '--openapi', 'slow.yaml'];
  const { node, line } = await startNode(scope, args, { cwd: folder });
  const url = urlIn(line);
  const response = fetch(`${url}/slow`);
  response.catch(() => undefined); // some tests end the process before it is answered
  await node.waitForError(/slow begins/);
  return { node, url, response, go: () => writeFileSync(path.join(folder, 'go'), '') };
}

describe('signals', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`${signal} drains requests in flight, rejects new ones, and exits with 0`, async (t) => {
      const { node, url, response, go } = await busy(t);
      node.kill(signal);
      await node.waitForError(/draining/);
      // The gateway accepts the connections of its backlog before it closes the port.
      while (
        await fetch(`${url}/livez`).then(
          () => true,
          () => false,
        )
      );
      go();
      assert.equal((await response).status, 200);
      assert.equal(await (await response).json(), 'done');
      assert.deepEqual(await node.exited, { code: 0, signal: null });
    });

    it(`a second ${signal} exits at once`, async (t) => {
      const { node } = await busy(t);
      node.kill('SIGTERM');
      await node.waitForError(/draining/);
      // Another one ends it at once. The same one may be taken for an echo of the first: it is sent until it is not.
      node.kill(signal);
      const hurry = setInterval(() => node.kill(signal), 20);
      t.after(() => clearInterval(hurry));
      assert.deepEqual(await node.exited, { code: signal === 'SIGINT' ? 130 : 143, signal: null });
    });
  }

  it('count once if a terminal and npm send them at the same time', async (t) => {
    const { node, response, go } = await busy(t);
    node.kill('SIGINT');
    node.kill('SIGINT');
    await node.waitForError(/draining/);
    go();
    assert.equal((await response).status, 200);
    assert.deepEqual(await node.exited, { code: 0, signal: null });
  });
});

/** A module of a worker or server that never comes up, and handlers that never end. */
const NEVER_UP = `console.error('loading');
setInterval(() => undefined, 1000);
await new Promise(() => undefined);
`;
const NEVER_ENDS = SLOW.replace('!existsSync(go)', 'true');

describe('a signal while a command starts', () => {
  const modules: Record<string, string[]> = {
    worker: ['worker', '--router', 'tcp://127.0.0.1:1', 'never.mjs'],
    server: ['server', '--bind', 'tcp://127.0.0.1:0', 'never.mjs'],
    up: ['up', '--port', '0', ...FREE_PORTS, '--workers', '.'],
  };
  for (const [name, args] of Object.entries(modules)) {
    it(`ends ${name} at once with exit code 0`, async (t) => {
      const scope = scopeOf(t);
      const cwd = tempFolder(scope);
      writeFileSync(path.join(cwd, 'never.mjs'), NEVER_UP);
      const node = startCommand(scope, args, { cwd });
      await node.waitForError(/loading/);
      await endsAtOnce(node);
    });
  }

  for (const processes of [1, 2]) {
    it(`ends a gateway of ${processes} processes that waits for a router at once with exit code 0`, async (t) => {
      const scope = scopeOf(t);
      const mute = createServer(() => undefined).listen(0, '127.0.0.1');
      scope.after(() => void mute.close());
      await once(mute, 'listening');
      const connected = once(mute, 'connection') as Promise<[Socket]>;
      const router = `tcp://127.0.0.1:${(mute.address() as AddressInfo).port}`;
      const args = ['gateway', '--router', router, '--port', '0', '--processes', `${processes}`];
      const node = startCommand(scope, args);
      const [socket] = await connected;
      scope.after(() => void socket.destroy());
      await endsAtOnce(node);
    });
  }
});

/** Sends SIGTERM to a command that is starting, and sees it end. */
async function endsAtOnce(node: RunningProcess): Promise<void> {
  const at = performance.now();
  node.kill('SIGTERM');
  assert.deepEqual(await node.exited, { code: 0, signal: null });
  const took = performance.now() - at;
  assert.ok(took < allowed(2500), `${took} ms`);
  assert.deepEqual(node.lines, [], 'it never said that it was ready');
}

describe('--drain', () => {
  it('limits how long a command takes to end', async (t) => {
    const scope = scopeOf(t);
    const folder = tempFolder(scope);
    writeFileSync(path.join(folder, 'slow.mjs'), NEVER_ENDS);
    writeFileSync(path.join(folder, 'slow.yaml'), DOCUMENT);
    const args = ['up', '--port', '0', ...FREE_PORTS, '--workers', folder, '--openapi', 'slow.yaml'];
    const { node, line } = await startNode(scope, [...args, '--drain', '500'], { cwd: folder });
    const asked = Array.from({ length: 50 }, () => fetch(`${urlIn(line)}/slow`).catch(() => undefined));
    await node.waitForError(/slow begins/);
    const at = performance.now();
    node.kill('SIGTERM');
    await node.exited;
    const took = performance.now() - at;
    assert.ok(took >= 500 && took < allowed(2500), `${took} ms`);
    await Promise.all(asked);
  });
});

describe('gateway --processes', () => {
  it('serves from several processes, restarts one that crashes, and stops all', async (t) => {
    if (process.platform !== 'linux') return t.skip('needs /proc');
    const args = ['gateway', '--router', 'tcp://127.0.0.1:1', '--port', '0', '--processes', '2'];
    const { node, line } = await startNode(scopeOf(t), args);
    assert.match(
      line,
      /^zeromq-gateway gateway is ready: http:.*, router tcp:\/\/127\.0\.0\.1:1, 2 processes$/,
    );
    assert.deepEqual(node.lines, [line], 'one line for all');
    const members = childrenOf(node.pid);
    assert.equal(members.length, 2);
    process.kill(members[0] ?? 0, 'SIGKILL');
    await node.waitForError(/a process exited and will be restarted/);
    const until = Date.now() + PATIENCE;
    while (childrenOf(node.pid).length < 2 && Date.now() < until)
      await new Promise((done) => setTimeout(done, 20));
    assert.equal(childrenOf(node.pid).length, 2);
    assert.equal((await fetch(`${urlIn(line)}/livez`)).status, 200);
    node.kill('SIGTERM');
    assert.deepEqual(await node.exited, { code: 0, signal: null });
    assert.doesNotMatch(node.stderr, /error:/);
  });

  it('ends all processes on a second signal', async (t) => {
    if (process.platform !== 'linux') return t.skip('needs /proc');
    const args = ['gateway', '--router', 'tcp://127.0.0.1:1', '--port', '0', '--processes', '2'];
    const { node } = await startNode(scopeOf(t), args);
    const members = childrenOf(node.pid);
    for (const pid of members) process.kill(pid, 'SIGSTOP'); // these would never drain
    node.kill('SIGTERM');
    await node.waitForError(/draining/);
    node.kill('SIGINT');
    assert.deepEqual(await node.exited, { code: 130, signal: null });
    await ended(members);
  });

  it('reports once why it cannot start', async (t) => {
    const first = await startNode(scopeOf(t), ['gateway', '--router', 'tcp://127.0.0.1:1', '--port', '0']);
    const [, port = ''] = /:(\d+),/.exec(first.line) ?? [];
    const args = ['gateway', '--router', 'tcp://127.0.0.1:1', '--port', port, '--processes', '2'];
    const second = startCommand(scopeOf(t), [...args, '--log-level', 'silent']);
    assert.equal((await second.exited).code, 1);
    assert.equal(second.stderr.match(/error:/g)?.length, 1);
    assert.match(
      second.stderr,
      /error: cannot bind 127\.0\.0\.1:\d+: another process uses the address; stop that process or choose another port/,
    );
  });
});

describe('npm start', () => {
  it('passes on signals and the exit code, and leaves no process behind', async (t) => {
    const env = { ZMQ_GATEWAY_DATA: tempFolder(t) };
    const npm = startProcess(scopeOf(t), 'npm', ['start', '--', '--port', '0', ...FREE_PORTS], {
      cwd: ROOT,
      env,
    });
    await npm.waitForLine(/zeromq-gateway up is ready: /);
    npm.kill('SIGTERM');
    assert.equal((await npm.exited).code, 0);
    assert.match(npm.stderr, /SIGTERM, draining/);
  });

  it('passes on the exit code of a failed command', async (t) => {
    const npm = startProcess(scopeOf(t), 'npm', ['start', '--', '--port', 'http'], { cwd: ROOT });
    assert.equal((await npm.exited).code, 2);
    assert.match(npm.stderr, /error: port: "http" \(from --port\) is invalid/);
  });
});

describe('npx', () => {
  it('finds the command in a built clone', async (t) => {
    const npx = startProcess(scopeOf(t), 'npx', ['--no-install', 'zeromq-gateway', '--version'], {
      cwd: ROOT,
    });
    assert.equal((await npx.exited).code, 0);
    assert.match(npx.lines.join('\n'), /^\d+\.\d+\.\d+/m);
  });
});
