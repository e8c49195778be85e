/** The limits of a router as its command sets them: what `--queue-bytes`, `--redispatches` and `--breaker-off` change. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openRouter, ROUTER_SETTINGS } from '../../../src/cli/router.ts';
import { Opened } from '../../../src/cli/serve.ts';
import type { ValuesOf } from '../../../src/cli/settings.ts';
import { silentLogger } from '../../../src/index.ts';
import { failOnLeftovers } from '../../helpers/leftovers.ts';
import { type Scope, scopeOf } from '../../helpers/scope.ts';
import { connectClient, Gate, startWorker } from '../framework.ts';

failOnLeftovers();

type Values = ValuesOf<typeof ROUTER_SETTINGS>;

/** A router as the command opens it, with its defaults but for what is given. */
async function open(scope: Scope, given: Partial<Values> = {}) {
  const any = 'tcp://127.0.0.1:0';
  const defaults = Object.fromEntries(
    Object.entries(ROUTER_SETTINGS).map(([name, setting]) => [
      name,
      'default' in setting ? setting.default : undefined,
    ]),
  ) as unknown as Values;
  const opened = new Opened();
  scope.after(() => opened.close());
  const values = { ...defaults, frontend: any, backend: any, heartbeat: any, drain: 500, ...given };
  const checker = { put: () => undefined, setAvailable: () => undefined };
  const { router, endpoints } = await openRouter(values, checker, silentLogger, opened);
  const client = await connectClient(scope, endpoints.frontend);
  return { router, backend: endpoints.backend, client };
}

describe('a router of the command line', () => {
  for (const [queueBytes, outcome] of [
    [undefined, 'queued'],
    [0, 'QUEUE_FULL'],
  ] as const) {
    it(`with ${queueBytes ?? 'the default of'} bytes for its queues: ${outcome}`, async (t) => {
      const scope = scopeOf(t);
      const { router, backend, client } = await open(scope, queueBytes === undefined ? {} : { queueBytes });
      const gate = new Gate();
      await startWorker(scope, { connection: backend, concurrency: 1, handlers: { hold: gate.handler } });
      const first = client.sendMessage('hold', 1);
      await gate.called();
      const second = client.sendMessage('hold', 2);
      if (outcome === 'QUEUE_FULL') await assert.rejects(second, { code: outcome, dispatched: false });
      else while (router.stats().queued === 0) await new Promise(setImmediate);
      gate.openAll();
      await first;
      if (outcome === 'queued') {
        await gate.called(2);
        gate.openAll();
        assert.equal((await second).eventData, 2);
      }
    });
  }

  for (const redispatches of [undefined, 0] as const) {
    it(`with ${redispatches ?? 'the default of'} redispatches`, async (t) => {
      const scope = scopeOf(t);
      const { backend, client } = await open(scope, redispatches === undefined ? {} : { redispatches });
      const gates = [new Gate(), new Gate()];
      const start = (gate: Gate) =>
        startWorker(scope, { connection: backend, handlers: { hold: gate.handler } });
      const victim = await start(gates[0] ?? assert.fail());
      const request = client.sendMessage('hold', 1, { idempotent: true });
      await gates[0]?.called();
      await start(gates[1] ?? assert.fail());
      const outcome =
        redispatches === 0 ? assert.rejects(request, { code: 'WORKER_LOST' }) : gates[1]?.called();
      await victim.stop({ deadline: 0 });
      await outcome;
      if (redispatches === 0) return;
      gates[1]?.openAll();
      assert.equal((await request).eventData, 1);
    });
  }

  for (const breakerOff of [false, true]) {
    it(`with its breakers ${breakerOff ? 'off' : 'on'}`, async (t) => {
      const scope = scopeOf(t);
      const { router, backend: connection, client } = await open(scope, { breakerOff });
      const rests: unknown[] = [];
      router.on('notice', ({ type }) => void (type === 'rest' && rests.push(type)));
      const fail = () => {
        throw new Error('planted');
      };
      for (let count = 0; count < 2; count += 1) await startWorker(scope, { connection, handlers: { fail } });
      for (let count = 0; count < 20; count += 1) {
        await assert.rejects(client.sendMessage('fail', null, { timeout: 20_000 }), {
          code: 'HANDLER_ERROR',
        });
      }
      assert.equal(rests.length > 0, !breakerOff);
    });
  }
});
