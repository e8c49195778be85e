/** top, ps, events and drain against a router with a worker. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { defineContract, ZeroMQWorker } from '../../../src/index.ts';
import { endpointIn, FREE_PORTS, runCommand, startCommand, startNode } from '../../helpers/command.ts';
import { Scope, scopeOf } from '../../helpers/scope.ts';

const ECHO = fileURLToPath(new URL('../../../workers/echo.ts', import.meta.url));

interface Worker {
  id: string;
  state: string;
  events: string[];
}

describe('operator commands', () => {
  const scope = new Scope();
  let to: string[];
  before(async () => {
    const { line } = await startNode(scope, ['router', ...FREE_PORTS]);
    await startNode(scope, ['worker', ECHO, '--router', endpointIn(line, 'backend')]);
    to = ['--to', endpointIn(line, 'frontend')];
  });
  after(() => scope.close());

  async function workers(t: TestContext): Promise<Worker[]> {
    const { stdout } = await runCommand(t, ['ps', ...to, '--json']);
    return JSON.parse(stdout) as Worker[];
  }

  it('ps lists workers, as a table and as JSON', async (t) => {
    const [worker] = await workers(t);
    assert.deepEqual(worker?.events, ['echo.get', 'echo.post']);
    const { code, stdout } = await runCommand(t, ['ps', ...to]);
    const [head, row, ...more] = stdout.split('\n');
    assert.deepEqual([code, more], [0, []]);
    assert.match(head ?? '', /^WORKER +STATE +KIND +IN FLIGHT +AGE +LAST HEARTBEAT +EVENTS +BREAKERS$/);
    assert.match(row ?? '', /^[\da-f]{32}_[\da-f]{16} +ready +native +0\/64 .* echo\.get,echo\.post$/);
  });

  it('events lists events', async (t) => {
    const { stdout } = await runCommand(t, ['events', ...to]);
    assert.deepEqual(
      stdout.split('\n').map((line) => line.split(/ +/)),
      [
        ['EVENT', 'WORKERS', 'QUEUED'],
        ['echo.get', '1', '0'],
        ['echo.post', '1', '0'],
      ],
    );
    const json = await runCommand(t, ['events', ...to, '--json']);
    assert.equal((JSON.parse(json.stdout) as { name: string }[])[0]?.name, 'echo.get');
  });

  it('drain stops and resumes requests to a worker that is given by a part of its identity', async (t) => {
    const [worker] = await workers(t);
    assert.ok(worker);
    const drained = await runCommand(t, ['drain', worker.id.slice(-8), ...to]);
    assert.deepEqual(
      [drained.code, drained.stdout],
      [0, `${worker.id} finishes its requests in flight and receives no new ones`],
    );
    assert.equal((await workers(t))[0]?.state, 'draining');
    assert.equal((await runCommand(t, ['drain', worker.id, '--resume', ...to])).code, 0);
    assert.equal((await workers(t))[0]?.state, 'ready');
    const unknown = await runCommand(t, ['drain', 'unknown', ...to]);
    assert.equal(unknown.code, 1);
    assert.match(
      unknown.stderr,
      /no worker has an identity that begins or ends with "unknown"; run ps to list all workers/,
    );
  });

  it('top prints once, as JSON and as tables', async (t) => {
    const once = ['top', '--once', '--interval', '100', ...to];
    const asked = Promise.all([runCommand(t, [...once, '--json']), runCommand(t, once)]);
    const [json, text] = await asked;
    const { info, stats } = JSON.parse(json.stdout) as {
      info: { workers: Worker[] };
      stats: { all: { rate: number } };
    };
    assert.equal(info.workers.length, 1);
    assert.equal(typeof stats.all.rate, 'number');
    assert.match(text.stdout, /^router [\da-f_]+, running for .*, least-loaded, \d+ clients\n/);
    assert.match(text.stdout, /^WORKER .*\n.* ready /m);
    assert.ok(!text.stdout.includes('\u001b'), 'no terminal, no colours');
  });

  it('top runs until it is stopped', async (t) => {
    const top = startCommand(scopeOf(t), ['top', '--json', '--interval', '50', ...to]);
    await top.waitForLine(/"stats"/);
    await top.waitForLine(/"stats"/, undefined, 1);
    top.kill('SIGINT');
    assert.deepEqual(await top.exited, { code: 0, signal: null });
  });

  it('report that no router responds', async (t) => {
    const { code, stderr } = await runCommand(t, ['ps', '--to', 'tcp://127.0.0.1:1', '--timeout', '300']);
    assert.equal(code, 1);
    assert.match(stderr, /NO_ROUTER: no router or server answered/);
  });
});

describe('versions of a contract', () => {
  it('events shows versions with their shares, which weight changes', async (t) => {
    const scope = scopeOf(t);
    const { line } = await startNode(scope, ['router', ...FREE_PORTS]);
    const backend = endpointIn(line, 'backend');
    const to = ['--to', endpointIn(line, 'frontend')];
    for (const [version, weight] of [
      ['1.0.0', undefined],
      ['2.0.0', 5],
    ] as const) {
      const contract = defineContract({
        name: 'rates',
        version,
        ...(weight === undefined ? {} : { weight }),
        events: { 'rates.get': {} },
      });
      const worker = new ZeroMQWorker({
        connection: backend,
        contract,
        handlers: { 'rates.get': () => version },
      });
      scope.after(() => worker.stop({ deadline: 0 }));
      const accepted = once(worker, 'accepted');
      await worker.start();
      await accepted;
    }
    const rowOf = async (): Promise<string | undefined> =>
      (await runCommand(t, ['events', ...to])).stdout.split('\n').find((row) => row.startsWith('rates.get'));
    assert.match((await rowOf()) ?? '', /1\.0\.0 \(1, 95 %\)/);
    assert.match((await rowOf()) ?? '', /2\.0\.0 \(1, 5 %\)/);
    const set = (...args: string[]) => runCommand(t, ['weight', 'rates', ...args, ...to]);
    assert.deepEqual(
      [await set('--of', '2.0.0', '--percent', '40'), await set('--of', '2.0.0', '--reset', '--json')].map(
        ({ code, stdout }) => [code, stdout],
      ),
      [
        [0, 'rates 2.0.0 receives 40 % of the requests'],
        [0, '{"contract":"rates","version":"2.0.0","weight":null}'],
      ],
    );
    assert.match((await rowOf()) ?? '', /2\.0\.0 \(1, 5 %\)/);
    const unknown = await set('--of', '9', '--percent', '1');
    assert.deepEqual([unknown.code, unknown.stdout], [1, '']);
    assert.match(unknown.stderr, /no worker of the router serves the contract "rates" in version "9"/);
    assert.equal((await set('--of', '2.0.0')).code, 2);
  });
});
