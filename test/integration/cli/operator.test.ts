// test:all: 10 s; ../operator-events.test.ts represents it
/** top, ps, events and drain against a router with a worker. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { workerName } from '../../../src/core/identity/worker-name.ts';
import { defineContract, ZeroMQWorker } from '../../../src/index.ts';
import { endpointIn, FREE_PORTS, startCommand, startNode } from '../../helpers/command.ts';
import { within } from '../../helpers/eventually.ts';
import { runCommandHere } from '../../helpers/run-command-here.ts';
import { Scope, scopeOf } from '../../helpers/scope.ts';

const ECHO = fileURLToPath(new URL('../../../workers/echo.ts', import.meta.url));

interface Worker {
  id: string;
  name: string;
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

  async function workers(): Promise<Worker[]> {
    const { stdout } = await runCommandHere(['ps', ...to, '--json']);
    return JSON.parse(stdout) as Worker[];
  }

  it('ps lists workers, as a table and as JSON', async () => {
    const [worker] = await workers();
    assert.deepEqual(worker?.events, ['echo.get', 'echo.post']);
    const { code, stdout } = await runCommandHere(['ps', ...to]);
    const [head, row, ...more] = stdout.split('\n');
    assert.deepEqual([code, more], [0, []]);
    assert.deepEqual(
      head?.split(/ {2,}/),
      'WORKER,STATE,KIND,IN FLIGHT,AGE,LAST HEARTBEAT,OLDEST REQUEST,HOST:PID,PACKAGE,CONTRACT,KEY,EVENTS,BREAKERS'.split(
        ',',
      ),
    );
    assert.match(row ?? '', /^echo\/echo\.ts@\S+#[\da-f]{8} +ready +native +0\/64 .* echo\.get,echo\.post$/);
  });

  it('events lists events', async () => {
    const { stdout } = await runCommandHere(['events', ...to]);
    assert.deepEqual(
      stdout.split('\n').map((line) => line.split(/ +/)),
      [
        ['EVENT', 'WORKERS', 'QUEUED'],
        ['echo.get', '1', '0'],
        ['echo.post', '1', '0'],
      ],
    );
    const json = await runCommandHere(['events', ...to, '--json']);
    assert.equal((JSON.parse(json.stdout) as { name: string }[])[0]?.name, 'echo.get');
  });

  it('drain stops and resumes requests to a worker that is given by its name or a part of its identity', async () => {
    const [worker] = await workers();
    assert.ok(worker);
    assert.equal(worker.name, workerName(worker.id, { contract: 'echo', file: 'echo.ts', host: hostname() }));
    const drained = await runCommandHere(['drain', worker.id.slice(-8), ...to]);
    assert.deepEqual(
      [drained.code, drained.stdout],
      [0, `${worker.name} finishes its requests in flight and receives no new ones`],
    );
    assert.equal((await workers())[0]?.state, 'draining');
    assert.equal((await runCommandHere(['drain', worker.name, '--resume', ...to])).code, 0);
    assert.equal((await workers())[0]?.state, 'ready');
    const unknown = await runCommandHere(['drain', 'unknown', ...to]);
    assert.equal(unknown.code, 1);
    assert.match(
      unknown.stderr,
      /no worker has a name or identity that begins or ends with "unknown"; run ps to list all workers/,
    );
  });

  it('top prints once, as JSON and as tables', async () => {
    const once = ['top', '--once', '--interval', '100', ...to];
    const asked = Promise.all([runCommandHere([...once, '--json']), runCommandHere(once)]);
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

  it('top ends when its reader closes the pipe', async (t) => {
    const top = startCommand(scopeOf(t), ['top', '--json', '--interval', '20', ...to], {
      prefix: ['sh', '-c', '"$@" | head -n 1; exit 0', 'sh'],
    });
    const { code } = await within(top.exited, 'the end of top');
    assert.deepEqual([code, top.lines.length, top.stderr], [0, 1, '']);
  });

  it('report that no router responds', async () => {
    const { code, stderr } = await runCommandHere(['ps', '--to', 'tcp://127.0.0.1:1', '--timeout', '300']);
    assert.equal(code, 1);
    assert.match(stderr, /NO_ROUTER: no router or server answered/);
  });
});

it('events and top name the events of workers that have left', async (t) => {
  const scope = scopeOf(t);
  const { line } = await startNode(scope, ['router', ...FREE_PORTS]);
  const to = ['--to', endpointIn(line, 'frontend')];
  const { node } = await startNode(scope, ['worker', ECHO, '--router', endpointIn(line, 'backend')]);
  node.kill('SIGTERM');
  await node.exited;
  const { stdout } = await runCommandHere(['events', ...to]);
  assert.match(stdout, /^echo\.get +0 +0 +its workers have left$/m);
  const top = async () => {
    const json = await runCommandHere(['top', '--once', '--interval', '100', '--json', ...to]);
    return (JSON.parse(json.stdout) as { stats: { events: { event: string }[] } }).stats.events;
  };
  assert.deepEqual(await top(), []); // the router collects from the first query on
  assert.equal((await runCommandHere(['call', 'echo.get', ...to, '--timeout', '300'])).code, 1);
  assert.deepEqual(
    (await top()).map(({ event }) => event),
    ['echo.get'],
  );
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
      (await runCommandHere(['events', ...to])).stdout.split('\n').find((row) => row.startsWith('rates.get'));
    assert.match((await rowOf()) ?? '', /1\.0\.0 \(1, 95 %\)/);
    assert.match((await rowOf()) ?? '', /2\.0\.0 \(1, 5 %\)/);
    const set = (...args: string[]) => runCommandHere(['weight', 'rates', ...args, ...to]);
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
