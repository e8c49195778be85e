// test:all: 10 s; worker-ready.test.ts represents it
/** `up` and `worker` with worker files that open sockets: signals to the process group, and a sudden end. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { FREE_PORTS, startNode, urlIn } from '../../helpers/command.ts';
import { childrenOf, ended } from '../../helpers/process-table.ts';
import { scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

const WORKER = `
import { defineWorker, ZeroMQClient } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)};
const client = new ZeroMQClient({ connection: 'tcp://127.0.0.1:1' });
await client.connect({ timeout: 0 });
export default defineWorker({ handlers: { pid: () => process.pid, spin: () => { console.error('spins'); for (;;); } } });
`;

const DOCUMENT = `
openapi: 3.1.0
info: { title: Sockets, version: 1.0.0 }
paths:
  /pid: { get: { x-event-name: pid, responses: { "200": { description: Done } } } }
  /spin: { get: { x-event-name: spin, responses: { "200": { description: Done } } } }
`;

async function up(t: TestContext) {
  const scope = scopeOf(t);
  const folder = tempFolder(scope);
  writeFileSync(path.join(folder, 'sockets.mjs'), WORKER);
  writeFileSync(path.join(folder, 'sockets.yaml'), DOCUMENT);
  const args = ['up', '--port', '0', ...FREE_PORTS, '--workers', folder, '--openapi', 'sockets.yaml'];
  const { node, line } = await startNode(scope, args, { cwd: folder });
  const url = urlIn(line);
  const pid = Number(await (await fetch(`${url}/pid`)).text());
  assert.ok(childrenOf(node.pid).includes(pid), 'the file runs in a process of its own');
  return { node, url, pid };
}

describe('a worker file that opens sockets', () => {
  it('drains and exits 0 when a signal reaches all its processes', async (t) => {
    const { node, pid } = await up(t);
    for (const each of [pid, node.pid]) process.kill(each, 'SIGINT');
    assert.deepEqual(await node.exited, { code: 0, signal: null });
    await ended([pid]);
    assert.ok(!node.stderr.includes('Napi'), node.stderr);
  });

  it('ends with its parent process, even while it blocks', async (t) => {
    const { node, url, pid } = await up(t);
    fetch(`${url}/spin`).catch(() => undefined);
    await node.waitForError(/spins/);
    node.kill('SIGKILL');
    await ended([pid]); // by the watchdog
  });
});
