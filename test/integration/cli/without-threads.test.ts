/** `--threads 0`: handlers in the main thread of `worker` and `up`. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { endpointIn, FREE_PORTS, runCommand, startNode, urlIn } from '../../helpers/command.ts';
import { PATIENCE } from '../../helpers/patience.ts';
import { scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

/** Replies with its thread, or crashes. */
const WORKER = `
import { threadId } from 'node:worker_threads';
import { defineContract, defineWorker } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)};
const contract = defineContract({
  name: 'place',
  events: {
    'place.get': { method: 'GET', path: '/place' },
    'place.crash': { method: 'POST', path: '/crash' },
  },
});
export default defineWorker({
  contract,
  handlers: {
    'place.get': () => ({ threadId }),
    'place.crash': () => {
      setImmediate(() => { throw new Error('planted'); });
      return new Promise(() => undefined);
    },
  },
  onStart: () => console.error('place starts'),
  onStop: () => console.error('place stops'),
});
`;

/** Waits as long as the test. */
const UP = ['up', '--port', '0', '--admin', 'off', '--timeout', String(PATIENCE), ...FREE_PORTS];

function workerFile(t: TestContext): string {
  const file = path.join(tempFolder(t), 'place.mjs');
  writeFileSync(file, WORKER);
  return file;
}

describe('--threads 0', () => {
  it('worker: serves in its main thread, stops as with threads, and ends when its module crashes', async (t) => {
    const scope = scopeOf(t);
    const up = await startNode(scope, [...UP, '--workers', 'off']);
    const url = urlIn(up.line);
    const args = ['worker', workerFile(t), '--router', endpointIn(up.line, 'backend'), '--threads', '0'];
    const first = await startNode(scope, args);
    assert.match(first.line, /^zeromq-gateway worker is ready: place\.mjs in the main thread, router tcp:/);
    assert.deepEqual(await (await fetch(`${url}/place`)).json(), { threadId: 0 });
    first.node.kill('SIGTERM');
    assert.deepEqual(await first.node.exited, { code: 0, signal: null });
    assert.match(first.node.stderr, /place starts[^]*place stops/);

    const second = await startNode(scope, args);
    const lost = await fetch(`${url}/crash`, { method: 'POST' });
    assert.equal(lost.status, 502);
    assert.deepEqual(await second.node.exited, { code: 1, signal: null });
    assert.match(second.node.stderr, /planted/);
  });

  it('up: serves in its main thread', async (t) => {
    const scope = scopeOf(t);
    const workers = path.dirname(workerFile(t));
    const { line, node } = await startNode(scope, [...UP, '--workers', workers, '--threads', '0']);
    assert.match(line, /workers place\.mjs,/);
    assert.deepEqual(await (await fetch(`${urlIn(line)}/place`)).json(), { threadId: 0 });
    node.kill('SIGTERM');
    assert.deepEqual(await node.exited, { code: 0, signal: null });
  });

  it('dev: rejects it, because only a new thread loads a file again', async (t) => {
    const { code, stderr } = await runCommand(t, ['dev', '--threads', '0']);
    assert.equal(code, 2);
    assert.match(stderr, /threads: "0" \(from --threads\) is invalid; allowed: a whole number from 1 to 256/);
  });
});
