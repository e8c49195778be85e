// test:all: 20 s; slow-consumer.test.ts represents it
/** A stream of events whose workers are killed, one after the other. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ApiRegistry, contractChecker } from '../../src/gateway/index.ts';
import { silentLogger, ZeroMQClient, ZeroMQRouter } from '../../src/index.ts';
import { ownServer } from '../helpers/gateway/hosts.ts';
import { PATIENT } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';

const KILLS = 20;
const WORKER = fileURLToPath(new URL('../integration/resumable-worker.mjs', import.meta.url));
const ANY = 'tcp://127.0.0.1:0';

async function startGateway(scope: Scope) {
  const registry = new ApiRegistry();
  const router = new ZeroMQRouter({
    frontendConnection: ANY,
    backendConnection: ANY,
    logger: silentLogger,
    limits: { startupGrace: 0 },
    contractChecker: contractChecker(registry),
  });
  scope.after(() => router.stop({ deadline: 100 }));
  const { frontend, backend } = await router.start();
  const client = new ZeroMQClient({ ...PATIENT, connection: frontend, logger: silentLogger });
  scope.after(() => client.close());
  const { url, gateway } = await ownServer(scope, { requester: client, api: registry });
  return { url, gateway, backend };
}

test(`resumable events: ${KILLS} killed workers lose no event and repeat none`, async (t) => {
  const scope = scopeOf(t);
  const { url, gateway, backend } = await startGateway(scope);
  const startWorker = async (): Promise<void> => {
    await untilJoined(() => {
      const child = spawn(process.execPath, [WORKER, backend], { stdio: 'ignore' });
      scope.after(() => child.kill('SIGKILL'));
      return Promise.resolve();
    });
  };
  await startWorker();
  const reader = (await fetch(`${url}/count`)).body?.getReader();
  let text = '';
  const killed = new Set<number>();
  const seen: number[] = [];
  let pid = 0;
  while (killed.size < KILLS || killed.has(pid)) {
    const { value } = (await reader?.read()) ?? {};
    assert.ok(value, `the stream ended: ${text.slice(-300)}`);
    text += Buffer.from(value).toString();
    const end = text.lastIndexOf('\n\n');
    const events = [...text.slice(0, end + 2).matchAll(/^data: (.*)$/gm)];
    text = text.slice(end + 2);
    for (const [, data = ''] of events) {
      const event = JSON.parse(data) as { n: number; pid: number };
      seen.push(event.n);
      ({ pid } = event);
    }
    if (pid === 0 || killed.has(pid) || killed.size === KILLS) continue;
    await startWorker();
    killed.add(pid);
    process.kill(pid, 'SIGKILL');
  }
  assert.deepEqual(
    seen,
    seen.map((_, index) => index + 1),
  );
  assert.ok(gateway.streams.resumed >= KILLS, `resumed ${gateway.streams.resumed} times`);
  await reader?.cancel();
});
