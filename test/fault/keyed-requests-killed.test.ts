// test:all: 20 s; durable-checker.test.ts represents it
/** Fault: a gateway is killed while it handles requests with an idempotency key. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { type RunningProcess, startProcess } from '../helpers/processes.ts';
import { tempFolder } from '../helpers/temp.ts';

failOnLeftovers();

const PROGRAM = fileURLToPath(new URL('./programs/keyed-gateway.ts', import.meta.url));

/** The steps at which the gateway is killed, and what a retry with the same key gets afterwards. */
const KILLS = [
  { path: '/orders', step: 'stored, not run', status: 502, code: 'OUTCOME_UNKNOWN', runs: 0 },
  { path: '/orders', step: 'run, not replied', status: 502, code: 'OUTCOME_UNKNOWN', runs: 1 },
  { path: '/orders', step: 'reply stored, not sent', status: 201, code: undefined, runs: 1 },
  { path: '/totals', step: 'stored, not run', status: 201, code: undefined, runs: 1 },
  { path: '/totals', step: 'run, not replied', status: 201, code: undefined, runs: 2 },
] as const;

it('killed gateway: a request with a key never runs twice, and a retry gets the truth', async (t) => {
  const folder = tempFolder(t);
  const log = join(folder, 'log');
  const start = async (): Promise<{ gateway: RunningProcess; url: string }> => {
    const args = ['--import', 'tsx', PROGRAM, join(folder, 'store.db'), log];
    const gateway = startProcess(t, process.execPath, args);
    const line = await gateway.waitForLine(/^ready /);
    return { gateway, url: line.slice('ready '.length) };
  };
  const send = (url: string, path: string, step: string): Promise<Response> =>
    fetch(url + path, {
      method: 'POST',
      body: JSON.stringify({ step }),
      headers: { 'content-type': 'application/json', 'idempotency-key': `"${path} ${step}"` },
    });

  let { gateway, url } = await start();
  for (const { path, step, status, code, runs } of KILLS) {
    await assert.rejects(send(url, path, step), `${step}: the gateway lives`);
    await gateway.exited;
    ({ gateway, url } = await start());
    // The store answers 409 until the new gateway has taken the request over.
    let retry: Response;
    do retry = await send(url, path, step);
    while (retry.status === 409);
    assert.equal(retry.status, status, `${path}: ${step}`);
    assert.equal(((await retry.json()) as { code?: string }).code, code, `${path}: ${step}`);
    const executions = readFileSync(log, 'utf8').split(`run ${path.replace('/', 'post.')} ${step}\n`);
    assert.equal(executions.length - 1, runs, `${path}: ${step}`);
  }
});
