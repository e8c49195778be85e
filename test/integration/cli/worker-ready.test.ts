/** `worker` is ready when a router has accepted it, and says why it is not until then. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FREE_PORTS, startCommand, startNode } from '../../helpers/command.ts';
import { freeEndpoint } from '../../helpers/endpoints.ts';
import { scopeOf } from '../../helpers/scope.ts';

const ECHO = fileURLToPath(new URL('../../../workers/echo.ts', import.meta.url));

describe('the ready line of worker', () => {
  it('appears when the router has accepted the worker; until then the log has the reason', async (t) => {
    const scope = scopeOf(t);
    const backend = await freeEndpoint(scope, 'tcp');
    const worker = startCommand(scope, ['worker', ECHO, '--router', backend]);
    await worker.waitForError(
      /no connection to the router yet: connection refused: no process listens there/,
    );
    assert.deepEqual(worker.lines, []);
    const { node: router } = await startNode(scope, ['router', ...FREE_PORTS, '--backend', backend]);
    await worker.waitForLine(/^zeromq-gateway worker is ready: echo\.ts on 1 thread each, router tcp:/);
    await worker.waitForError(/accepted by the router/);
    assert.equal(router.lines.length, 1);
  });

  it('does not appear without a router, and a signal ends the wait with exit code 0', async (t) => {
    const scope = scopeOf(t);
    const backend = await freeEndpoint(scope, 'tcp');
    const worker = startCommand(scope, ['worker', ECHO, '--router', backend]);
    await worker.waitForError(/no connection to the router yet/);
    worker.kill('SIGTERM');
    assert.deepEqual(await worker.exited, { code: 0, signal: null });
    assert.deepEqual(worker.lines, []);
  });
});
