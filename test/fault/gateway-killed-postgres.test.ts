// test:all: 10 s, with a PostgreSQL server and leases that pass
/** Fault: one of two gateways that share PostgreSQL is killed, and the clocks of both are wrong. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { within } from '../helpers/eventually.ts';
import { allowed } from '../helpers/patience.ts';
import { POSTGRES_MISSING, startPostgres } from '../helpers/postgres.ts';
import { type RunningProcess, startProcess } from '../helpers/processes.ts';
import { scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

const PROGRAM = fileURLToPath(new URL('./programs/async-gateway.ts', import.meta.url));
const HOUR = 3_600_000;
const LEASE = 2000;
/** More than the time between two searches for requests whose lease has ended, in ms. */
const SEARCH = 8000;

interface Status {
  readonly state: string;
  readonly createdAt: string;
  readonly links: { readonly self: string; readonly result: string };
}

it('killed gateway: the other one takes over within the lease, whatever their clocks show', {
  skip: POSTGRES_MISSING,
}, async (t) => {
  const scope = scopeOf(t);
  const postgres = await startPostgres(scope);
  const store = await postgres.createDatabase('lease');
  const log = join(tempFolder(t), 'log');
  writeFileSync(log, '');
  const runs = (): string[] => readFileSync(log, 'utf8').split('\n').filter(Boolean).sort();
  const start = async (name: string, wrong: number): Promise<{ gateway: RunningProcess; url: string }> => {
    const args = ['--import', 'tsx', PROGRAM, store, log, name, String(wrong), String(LEASE)];
    const gateway = startProcess(scope, process.execPath, args);
    const line = await gateway.waitForLine(/^ready /);
    return { gateway, url: line.slice('ready '.length) };
  };
  const post = (url: string, path: string, headers = {}): Promise<Response> =>
    fetch(url + path, {
      method: 'POST',
      body: '{"hangs":"fast"}',
      headers: { 'content-type': 'application/json', ...headers },
    });
  const key = { 'idempotency-key': '"k"' };

  const [fast, slow] = await Promise.all([start('fast', HOUR), start('slow', -HOUR)]);
  const [once, again] = (await Promise.all(
    ['/once', '/again'].map(async (path) => (await post(fast.url, path)).json()),
  )) as [Status, Status];
  const keyed = assert.rejects(post(fast.url, '/keyed', key), 'the gateway lives');
  const first = ['post.again on fast', 'post.keyed on fast', 'post.once on fast'];
  while (runs().length < first.length) await (await fetch(fast.url + once.links.self)).text();
  assert.deepEqual(runs(), first);
  // The time of the database, and not of the gateway.
  assert.ok(Math.abs(Date.parse(once.createdAt) - Date.now()) < 60_000, once.createdAt);

  // A gateway that lives keeps its leases, although the clock of the other one is behind by 2 hours.
  await sleep(1.5 * LEASE);
  const running = (await (await fetch(slow.url + once.links.self)).json()) as Status;
  assert.deepEqual([running.state, runs()], ['running', first]);

  fast.gateway.kill('SIGKILL');
  await Promise.all([fast.gateway.exited, keyed]);
  const killed = performance.now();
  const wait = { headers: { prefer: 'wait=20' } };
  const states = await within(
    Promise.all(
      [once, again].map(async ({ links }) => {
        const response = await fetch(slow.url + links.self, wait);
        return ((await response.json()) as Status).state;
      }),
    ),
    'the takeover',
  );
  assert.deepEqual(states, ['unknown', 'succeeded']);
  assert.ok(performance.now() - killed < allowed(LEASE + SEARCH));
  assert.deepEqual(await (await fetch(slow.url + again.links.result)).json(), { by: 'slow' });
  let retry: Response;
  do retry = await post(slow.url, '/keyed', key);
  while (retry.status === 409);
  assert.equal(((await retry.json()) as { code: string }).code, 'OUTCOME_UNKNOWN');
  assert.deepEqual(runs(), [
    'post.again on fast',
    'post.again on slow',
    'post.keyed on fast',
    'post.once on fast',
  ]);
});
