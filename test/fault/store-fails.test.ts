// test:all: 30 s, with a PostgreSQL server that hangs; store-service.test.ts represents it
/** Fault: the store of a gateway cannot be written, because its disk is full or PostgreSQL is down. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { within } from '../helpers/eventually.ts';
import { POSTGRES_MISSING, startPostgres } from '../helpers/postgres.ts';
import { childrenOf } from '../helpers/process-table.ts';
import { startProcess } from '../helpers/processes.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

const PROGRAM = fileURLToPath(new URL('./programs/async-gateway.ts', import.meta.url));
const LEASE = 15_000;
/** Requests that arrive at the same moment. */
const BURST = 30;

/** A response, and what it says about the store. */
interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly dispatched: boolean | undefined;
  readonly retryAfter: string | null;
  readonly replayed: string | null;
  readonly location: string | null;
}

interface Readiness {
  readonly status: number;
  readonly reasons: readonly { readonly code: string; readonly detail: string }[];
}

class Scene {
  private count = 0;

  private constructor(
    readonly url: string,
    private readonly log: string,
  ) {}

  static async start(scope: Scope, store: string): Promise<Scene> {
    const log = join(tempFolder(scope), 'log');
    writeFileSync(log, '');
    const args = ['--import', 'tsx', PROGRAM, store, log, 'g', '0', String(LEASE)];
    const line = await startProcess(scope, process.execPath, args).waitForLine(/^ready /);
    return new Scene(line.slice('ready '.length), log);
  }

  /** Number of executions of an event. */
  runs(event: string): number {
    return readFileSync(this.log, 'utf8').split(`post.${event} on g\n`).length - 1;
  }

  keyed(key = `k${(this.count += 1)}`): Promise<Answer> {
    return this.post('/keyed', { 'idempotency-key': `"${key}"` });
  }

  async post(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    const body = '{"hangs":""}';
    const init = { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } };
    const response = await fetch(this.url + path, init);
    const { code, dispatched } = (await response.json()) as Partial<Answer>;
    const field = (name: string): string | null => response.headers.get(name);
    return {
      status: response.status,
      code,
      dispatched,
      retryAfter: field('retry-after'),
      replayed: field('idempotency-replayed'),
      location: field('location'),
    };
  }

  async readiness(): Promise<Readiness> {
    const response = await fetch(`${this.url}/readyz`);
    return { ...((await response.json()) as Pick<Readiness, 'reasons'>), status: response.status };
  }

  /** Resolves when the gateway is ready. */
  async recovered(): Promise<void> {
    const look = async (): Promise<void> => {
      while ((await this.readiness()).status !== 200);
    };
    await within(look(), 'the store to recover');
  }

  /** Asserts that requests that need the store are rejected before they run, and others go on. */
  async assertDown(reason: RegExp): Promise<void> {
    const before = [this.runs('keyed'), this.runs('once'), this.runs('plain')] as const;
    const sent = Array.from({ length: BURST }, (_, i) => (i % 2 ? this.keyed() : this.post('/once')));
    const answers = await within(Promise.all(sent), 'responses without the store', 25_000);
    assert.deepEqual(answers, Array(BURST).fill(REJECTED));
    const readiness = await this.readiness();
    assert.equal(readiness.status, 503);
    assert.equal(readiness.reasons[0]?.code, 'STORE_UNAVAILABLE');
    assert.match(readiness.reasons[0]?.detail ?? '', reason);
    assert.equal((await this.post('/plain')).status, 201);
    assert.deepEqual(
      [this.runs('keyed'), this.runs('once'), this.runs('plain')],
      [before[0], before[1], before[2] + 1],
    );
  }

  /** Asserts that both kinds of requests run, and that a rejected one runs once when it is sent again. */
  async assertUp(rejected?: string): Promise<void> {
    const before = this.runs('keyed');
    const { status, replayed } = await this.keyed(rejected);
    assert.deepEqual([status, replayed, this.runs('keyed')], [201, null, before + 1]);
    const { status: accepted, location } = await this.post('/once');
    assert.equal(accepted, 202);
    const ended = await fetch(this.url + location, { headers: { prefer: 'wait=30' } });
    assert.equal(((await ended.json()) as { state: string }).state, 'succeeded');
    assert.equal((await this.readiness()).status, 200);
  }
}

const REJECTED: Answer = {
  status: 503,
  code: 'STORE_UNAVAILABLE',
  dispatched: false,
  retryAfter: '1',
  replayed: null,
  location: null,
};

/** Mounts a small file system in memory. Returns its folder, or why that is not possible. */
function smallDisk(scope: Scope): { folder: string } | { missing: string } {
  if (process.getuid?.() !== 0) return { missing: 'needs root' };
  const folder = tempFolder(scope);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { encoding: 'utf8' });
  if (mounted.status !== 0) return { missing: `cannot mount a file system: ${mounted.stderr}` };
  scope.after(() => spawnSync('umount', ['--lazy', folder]));
  return { folder };
}

/** Writes a file until the disk is full. */
function fill(file: string): void {
  const kib = Buffer.alloc(1024);
  assert.throws(
    () => {
      for (;;) writeFileSync(file, kib, { flag: 'a' });
    },
    { code: 'ENOSPC' },
  );
}

it('full disk: nothing runs that the store should keep, and everything does once there is space', async (t) => {
  const scope = scopeOf(t);
  const disk = smallDisk(scope);
  if ('missing' in disk) return t.skip(disk.missing);
  const scene = await Scene.start(scope, `sqlite:${join(disk.folder, 'store.db')}`);
  await scene.assertUp();
  const { location } = await scene.post('/once');
  const filler = join(disk.folder, 'filler');
  fill(filler);
  assert.deepEqual(await scene.keyed('late'), REJECTED);
  await scene.assertDown(/disk is full/);
  // Reading needs no space.
  assert.equal((await fetch(scene.url + location)).status, 200);
  rmSync(filler);
  await scene.recovered();
  await scene.assertUp('late');
});

it('PostgreSQL down: nothing runs that the store should keep, and everything does when it is back', {
  skip: POSTGRES_MISSING,
}, async (t) => {
  const scope = scopeOf(t);
  const postgres = await startPostgres(scope);
  const scene = await Scene.start(scope, await postgres.createDatabase('down'));
  await scene.assertUp();

  // It hangs: connections stay open, and new ones are made, but nothing is answered.
  const pids = [postgres.server.pid, ...childrenOf(postgres.server.pid)];
  const stop = (): void => {
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
  };
  const go = (): void => {
    for (const pid of pids.splice(0)) process.kill(pid, 'SIGCONT');
  };
  scope.after(go);
  stop();
  await scene.assertDown(/timeout|terminated/);
  // The failure is known: no request waits for the store, although it still hangs.
  const started = performance.now();
  assert.deepEqual(await scene.keyed('late'), REJECTED);
  assert.ok(performance.now() - started < 4000, 'a request waited for a store that is down');
  go();
  await scene.recovered();
  await scene.assertUp('late');

  postgres.server.kill('SIGINT');
  await postgres.server.exited;
  assert.deepEqual(await scene.keyed('later'), REJECTED);
  await scene.assertDown(/ECONNREFUSED|shutting down|terminat/);
  await postgres.restart();
  await scene.recovered();
  await scene.assertUp('later');
});
