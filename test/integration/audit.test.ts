/** What operators see of workers, and what a router logs of joins, leaves and operators' changes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, it } from 'node:test';
import { defineContract, type Logger, silentLogger } from '../../src/index.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { scopeOf } from '../helpers/scope.ts';
import { ADMIN, keysOf, startGuarded, WORKER } from './curve-nodes.ts';
import { connectClient, HandlerGate, nextEvent, startRouter, startWorker } from './framework.ts';

failOnLeftovers();

const { version: PACKAGE } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

interface Line {
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A logger that keeps what is logged at info. */
function infoLog(): { logger: Logger; lines: Line[] } {
  const lines: Line[] = [];
  const logger: Logger = {
    ...silentLogger,
    info: (fields: object | string, message?: unknown) =>
      void lines.push({ message: String(message), fields: fields as Line['fields'] }),
    child: () => logger,
  };
  return { logger, lines };
}

const contract = defineContract({
  name: 'echo',
  version: '1.2.0',
  events: { 'echo.get': { method: 'GET', path: '/echo' } },
});

describe('audit', () => {
  it('router: logs joins, leaves and the changes of operators with the keys of those who made them', async (t) => {
    const scope = scopeOf(t);
    const { logger, lines } = infoLog();
    const { router, frontend, backend } = await startGuarded(scope, undefined, { logger });
    const worker = await startWorker(scope, {
      connection: backend,
      curve: keysOf(WORKER),
      contract,
      handlers: { 'echo.get': (data: unknown) => data },
    });
    const { identity: id } = worker.identity;
    const name = router.inspect().workers[0]?.name;
    assert.match(name ?? '', /^echo\//);
    const operator = await connectClient(scope, frontend, { curve: keysOf(ADMIN) });
    for (const drain of [true, false]) await operator.sendMessage('$router.drain', { worker: id, drain });
    await operator.sendMessage('$router.pause', { event: 'echo.get' });
    await assert.rejects(operator.sendMessage('$router.drain', { worker: 'unknown' }), {
      code: 'INVALID_REQUEST',
    });
    const left = nextEvent(router, 'workerLeft');
    await worker.stop();
    await left;
    const known = ['worker joined', 'worker left'];
    const audit = lines.filter(
      ({ message }) => known.includes(message) || message.startsWith('an operator requested'),
    );
    const who = {
      host: hostname(),
      workerPid: process.pid,
      package: PACKAGE,
      contract: 'echo',
      version: '1.2.0',
    };
    const by = { client: operator.identity.identity, key: 'operator' };
    assert.deepEqual(audit, [
      {
        message: 'worker joined',
        fields: {
          worker: name,
          workerId: id,
          ...who,
          key: 'echo',
          classic: false,
          events: 1,
          concurrency: 64,
        },
      },
      { message: 'an operator requested: drain', fields: { worker: id, drain: true, ...by } },
      { message: 'an operator requested: resume', fields: { worker: id, drain: false, ...by } },
      { message: 'an operator requested: pause', fields: { event: 'echo.get', pause: true, ...by } },
      {
        message: 'worker left',
        fields: { worker: name, workerId: id, ...who, key: 'echo', reason: 'goodbye', held: 0 },
      },
    ]);
  });

  it('router: reports who a worker is, and the request that it holds for the longest time', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend, backend } = await startRouter(scope);
    const gate = new HandlerGate();
    await startWorker(scope, { connection: backend, handlers: { hold: gate.handler } });
    const client = await connectClient(scope, frontend);
    const first = client.sendMessage('hold', 1, { requestId: 'first' });
    await gate.called(1);
    const second = client.sendMessage('hold', 2, { requestId: 'second' });
    await gate.called(2);
    const [held] = router.inspect().workers;
    assert.deepEqual(
      [held?.host, held?.pid, held?.package, held?.contract, held?.key],
      [hostname(), process.pid, PACKAGE, undefined, undefined],
    );
    assert.deepEqual([held?.oldest?.event, held?.oldest?.requestId], ['hold', 'first']);
    assert.ok((held?.oldest?.heldFor ?? -1) >= 0);
    gate.openAll();
    await Promise.all([first, second]);
    assert.equal(router.inspect().workers[0]?.oldest, null);
  });
});
