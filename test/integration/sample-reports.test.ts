/** The sample worker with asynchronous requests, over HTTP in memory. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { testWorker } from 'zeromq-gateway/testing';
import reports from '../../workers/reports.ts';
import { scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

it('report worker: the result comes later, and the state shows the progress', async (t) => {
  const scope = scopeOf(t);
  const store = `sqlite:${join(tempFolder(scope), 'store.db')}`;
  const worker = await testWorker(reports, { gateway: { store } });
  scope.after(() => worker.close());
  const headers = { 'content-type': 'application/json', prefer: 'respond-async' };
  const body = JSON.stringify({ title: 'Sales', pages: 1 });
  const accepted = await worker.fetch('/reports', { method: 'POST', headers, body });
  assert.equal(accepted.status, 202);
  const path = accepted.headers.get('location') ?? '';
  const state = await worker.fetch(path, { headers: { prefer: 'wait=20' } });
  const { state: last, progress } = (await state.json()) as { state: string; progress: unknown };
  assert.deepEqual([last, progress], ['succeeded', { done: 1, of: 1 }]);
  const result = await worker.fetch(`${path}/result`);
  assert.deepEqual(await result.json(), { title: 'Sales', pages: ['Sales, page 1'] });
});
