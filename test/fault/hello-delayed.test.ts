// test:all: 10 s; ../unit/router/backend/hello.test.ts represents it
/**
 * Fault: a worker connects, and its hello arrives much later. Until then the router must not send
 * it requests, in particular not as a classic worker.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ZeroMQClient, ZeroMQRouter } from '../../src/index.ts';
import { emissions, eventually } from '../helpers/eventually.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { type RunningProcess, startProcess } from '../helpers/processes.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { TYPESCRIPT } from '../helpers/typescript.ts';
import { connectClient, startRouter } from '../integration/framework.ts';

failOnLeftovers();

const PROGRAM = fileURLToPath(new URL('programs/late-hello.ts', import.meta.url));

/** Time in ms during which the worker is blocked: much longer than a router waits for a hello. */
const PAUSE = 700;

interface Setup {
  readonly router: ZeroMQRouter;
  readonly client: ZeroMQClient;
  readonly child: RunningProcess;
}

/** How long the router waits for workers, in ms: longer than the child needs to start on any machine. */
const GRACE = 600_000;

/** A router, and a worker that is connected to it and says hello later. */
async function setUp(scope: Scope, then: 'serve' | 'stop'): Promise<Setup> {
  const options = { helloTimeout: 1, limits: { startupGrace: GRACE } };
  const { router, frontend, backend } = await startRouter(scope, 'tcp', options);
  const client = await connectClient(scope, frontend);
  const { backendMonitor: monitor } = router;
  assert.ok(monitor);
  const args = [...TYPESCRIPT, PROGRAM, backend, String(PAUSE), then];
  const child = startProcess(scope, process.execPath, args);
  await eventually(
    emissions(monitor, 'handshake'),
    () => monitor.connections === 1,
    'the connection of the worker',
  );
  return { router, client, child };
}

describe('late hello', () => {
  it('late hello: the worker gets requests only after its hello, and each request gets its correct outcome', async (t) => {
    const { router, client, child } = await setUp(scopeOf(t), 'serve');
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
    // On a slow machine, the timer of the client may end before the reply of the router arrives.
    const [code, status, dispatched] = outcomeOf(unknown);
    assert.ok(code === 'TIMEOUT' || (code === 'EXPIRED' && dispatched === false), String(code));
    assert.equal(status, 504);
    await child.waitForLine(/^ran 1$/);
  });

  it('late hello: a worker that stops before it serves rejects its requests, and none is reported successful', async (t) => {
    const { router, client } = await setUp(scopeOf(t), 'stop');
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
