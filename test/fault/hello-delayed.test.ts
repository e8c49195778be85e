/** Fault: a worker connects, and its hello comes much later. Until then it must get nothing, least of all as a classic worker. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ZeroMQClient, ZeroMQRouter } from '../../src/index.ts';
import { emissions, eventually } from '../helpers/eventually.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { type RunningProcess, startProcess } from '../helpers/processes.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { connectClient, startRouter } from '../integration/framework.ts';

failOnLeftovers();

const PROGRAM = fileURLToPath(new URL('programs/late-hello.ts', import.meta.url));

/** How long the worker stands still, in ms: much longer than routers wait for the hello of an unknown worker. */
const PAUSE = 700;

interface Stage {
  readonly router: ZeroMQRouter;
  readonly client: ZeroMQClient;
  readonly child: RunningProcess;
}

/** A router and a worker that is connected to it, and says its hello later. */
async function stage(scope: Scope, then: 'serve' | 'stop'): Promise<Stage> {
  const options = { helloGrace: 1, limits: { startupGrace: 10_000 } };
  const { router, frontend, backend } = await startRouter(scope, 'tcp', options);
  const client = await connectClient(scope, frontend);
  const { backendMonitor: monitor } = router;
  assert.ok(monitor);
  const args = ['--import', 'tsx', PROGRAM, backend, String(PAUSE), then];
  const child = startProcess(scope, process.execPath, args);
  await eventually(emissions(monitor, 'handshake'), () => monitor.connections === 1, 'the connection');
  return { router, client, child };
}

describe('a worker whose hello is late', () => {
  it('gets no request before it, and each one afterwards with its true outcome', async (t) => {
    const { router, client, child } = await stage(scopeOf(t), 'serve');
    const joining = once(router, 'workerJoined');
    const requests = Promise.allSettled([
      client.sendMessage('run', 1),
      client.sendMessage('refuse', 2),
      client.sendMessage('unknown', 3, { timeout: PAUSE * 3 }),
    ]);
    const [, details] = (await joining) as [string, { classic: boolean }];
    assert.equal(details.classic, false);
    const [run, refused, unknown] = await requests;
    assert.equal(run.status === 'fulfilled' && run.value.eventData, 1);
    assert.deepEqual(outcomeOf(refused), ['NOT_FOUND', 404, true]);
    assert.deepEqual(outcomeOf(unknown), ['EXPIRED', 504, false]);
    await child.waitForLine(/^ran 1$/);
  });

  it('and that stops in place of serving, has refused nothing that became a success', async (t) => {
    const { router, client } = await stage(scopeOf(t), 'stop');
    let joined = 0;
    router.on('workerJoined', () => joined++);
    const names = ['run', 'refuse', 'unknown'];
    const requests = names.map((name) => client.sendMessage(name, 1, { timeout: PAUSE * 3 }));
    for (const outcome of await Promise.allSettled(requests)) {
      assert.equal(outcome.status, 'rejected', 'a success without an execution');
      assert.equal(outcomeOf(outcome)[2], false);
    }
    assert.ok(joined <= 1);
  });
});

function outcomeOf(result: PromiseSettledResult<unknown>): unknown[] {
  assert.equal(result.status, 'rejected');
  const { code, status, dispatched } = result.reason as { code: string; status: number; dispatched: boolean };
  return [code, status, dispatched];
}
