import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { requestsCommand } from '../../../../src/cli/commands/requests.ts';
import {
  type AdminSource,
  openAdminListener,
  runRequestsCommand,
} from '../../../../src/gateway/admin/index.ts';
import { SILENT } from '../../../../src/gateway/common/api-source.ts';
import { DEFAULT_LIMITS } from '../../../../src/store/index.ts';
import { openSqliteStore } from '../../../../src/store/sqlite/sqlite-store.ts';
import { tempFolder } from '../../../helpers/temp.ts';

/** A store with one running and one unknown request, and a listener in front of it. */
async function start(t: TestContext) {
  const file = join(tempFolder(t), 'store.db');
  const store = openSqliteStore(file, DEFAULT_LIMITS);
  t.after(() => store.close());
  for (const id of ['r1', 'r2']) {
    await store.create({
      id,
      caller: id === 'r1' ? 'ann' : '',
      event: 'orders.create',
      key: `key-of-${id}`,
      fingerprint: Buffer.alloc(32),
      state: 'running',
      idempotent: false,
      data: Buffer.alloc(0),
      metadata: Buffer.alloc(0),
      timeout: 1000,
      retention: 60_000,
      owner: 'g',
      lease: 60_000,
    });
  }
  await store.finish({ id: 'r2', owner: 'g', attempt: 1 }, { state: 'unknown', code: 'WORKER_LOST' });
  const source = {
    requests: (command) => runRequestsCommand(store, command),
  } as Partial<AdminSource> as AdminSource;
  const listener = await openAdminListener({ host: '127.0.0.1', port: 0, source, logger: SILENT });
  t.after(() => listener.close());
  const run = async (values: object): Promise<string[]> => {
    const lines: string[] = [];
    const defaults = { action: 'list', limit: 100, timeout: 5000, to: listener.url, json: false };
    const context = { out: (line: string) => void lines.push(line) };
    await requestsCommand.run({ ...defaults, ...values } as never, context as never);
    return lines;
  };
  return { run, store, file };
}

describe('requests command', () => {
  it('requests command: lists requests by state, as a table or as JSON', async (t) => {
    const { run } = await start(t);
    const [head = '', ...rows] = await run({});
    assert.match(head, /^ID +STATE +EVENT +CALLER +KEY +AGE +STATUS +CODE$/);
    assert.equal(rows.length, 2);
    const [, row = ''] = await run({ state: 'unknown' });
    assert.match(row, /^r2 +unknown +orders\.create +- +key-of-r2 +\S+ m?s +- +WORKER_LOST$/);
    const [json = ''] = await run({ caller: 'ann', limit: 1, json: true });
    assert.equal((JSON.parse(json) as { fingerprint?: unknown }[]).length, 1);
    assert.equal(json.includes('fingerprint'), false);
    assert.equal((await run({ caller: 'bob' })).length, 1);
  });

  it('requests command: shows and cancels a request, and reports what it cannot do', async (t) => {
    const { run, store } = await start(t);
    const shown = await run({ action: 'show', id: 'r1' });
    assert.ok(shown.includes('state: running'), shown.join('\n'));
    assert.ok(shown.includes('caller: ann'), shown.join('\n'));
    assert.ok((await run({ action: 'show', id: 'r2' })).includes('caller: -'));
    assert.deepEqual(await run({ action: 'cancel', id: 'r1' }), [
      'the gateway that holds r1 is asked to cancel it',
    ]);
    assert.equal((await store.get('r1'))?.cancelRequested, true);
    await assert.rejects(run({ action: 'cancel', id: 'r2' }), /The request "r2" has ended\./);
    await assert.rejects(run({ action: 'show', id: 'r3' }), /There is no request "r3"\./);
    await assert.rejects(run({ action: 'show' }), /id is missing: requests show needs the ID/);
    await assert.rejects(
      run({ to: 'http://127.0.0.1:1' }),
      /cannot reach the admin listener http:\/\/127\.0\.0\.1:1/,
    );
  });

  it('requests command: opens a store that no gateway uses', async (t) => {
    const { run, store, file } = await start(t);
    await assert.rejects(run({ store: `sqlite:${file}` }), /another process uses it/);
    await store.close();
    assert.equal((await run({ store: `sqlite:${file}` })).length, 3);
  });
});
