/** The limits of a router that flags of its command set. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openRouter, ROUTER_SETTINGS } from '../../../src/cli/commands/router.ts';
import { Resources } from '../../../src/cli/nodes/serve.ts';
import type { ValuesOf } from '../../../src/cli/settings/settings.ts';
import { silentLogger } from '../../../src/index.ts';
import { failOnLeftovers } from '../../helpers/leftovers.ts';
import { PATIENCE } from '../../helpers/patience.ts';
import { type Scope, scopeOf } from '../../helpers/scope.ts';
import { connectClient, HandlerGate, startWorker } from '../framework.ts';

failOnLeftovers();

type Values = ValuesOf<typeof ROUTER_SETTINGS>;

/** The error of a client that exceeds its limit. */
const BUSY = { code: 'BUSY', status: 503, dispatched: false, message: /this client/ };

/** Opens a router like the command does, with the given settings and defaults otherwise. */
async function open(scope: Scope, given: Partial<Values> = {}) {
  const any = 'tcp://127.0.0.1:0';
  const defaults = Object.fromEntries(
    Object.entries(ROUTER_SETTINGS).map(([name, setting]) => [
      name,
      'default' in setting ? setting.default : undefined,
    ]),
  ) as unknown as Values;
  const resources = new Resources();
  scope.after(() => resources.close());
  const values = { ...defaults, frontend: any, backend: any, heartbeat: any, drain: 500, ...given };
  const checker = { put: () => undefined, setAvailable: () => undefined };
  const { router, endpoints } = await openRouter(values, checker, silentLogger, resources);
  const client = await connectClient(scope, endpoints.frontend);
  return { router, frontend: endpoints.frontend, backend: endpoints.backend, client };
}

describe('command router', () => {
  for (const [queueBytes, outcome] of [
    [undefined, 'queued'],
    [0, 'QUEUE_FULL'],
  ] as const) {
    it(`with ${queueBytes ?? 'the default of'} bytes for its queues: ${outcome}`, async (t) => {
      const scope = scopeOf(t);
      const { router, backend, client } = await open(scope, queueBytes === undefined ? {} : { queueBytes });
      const gate = new HandlerGate();
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
      const gates = [new HandlerGate(), new HandlerGate()];
      const start = (gate: HandlerGate) =>
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
      const openings: unknown[] = [];
      router.on('notice', ({ type }) => void (type === 'breaker-open' && openings.push(type)));
      const fail = () => {
        throw new Error('planted');
      };
      for (let count = 0; count < 2; count += 1) await startWorker(scope, { connection, handlers: { fail } });
      for (let count = 0; count < 20; count += 1) {
        await assert.rejects(client.sendMessage('fail', null, { timeout: PATIENCE }), {
          code: 'HANDLER_ERROR',
        });
      }
      assert.equal(openings.length > 0, !breakerOff);
    });
  }

  it('limits the requests in flight of each client independently', async (t) => {
    const scope = scopeOf(t);
    const { router, frontend, backend, client: greedy } = await open(scope, { clientMaxInFlight: 3 });
    const gate = new HandlerGate();
    const handlers = { hold: gate.handler, fine: () => 'fine' };
    await startWorker(scope, { connection: backend, concurrency: 10, handlers });
    const held = [1, 2, 3].map((n) => greedy.sendMessage('hold', n));
    await gate.called(3);
    await assert.rejects(greedy.sendMessage('fine'), BUSY);
    const modest = await connectClient(scope, frontend);
    assert.equal((await modest.sendMessage('fine')).eventData, 'fine');
    assert.equal(router.stats().submitted, 4, 'rejected requests do not reach the broker');
    gate.openAll();
    await Promise.all(held);
    assert.equal((await greedy.sendMessage('fine')).eventData, 'fine', 'there is room again');
  });

  it('limits the rate of each client independently', async (t) => {
    const scope = scopeOf(t);
    const { frontend, backend, client: greedy } = await open(scope, { clientRate: 1, clientBurst: 5 });
    let served = 0;
    await startWorker(scope, { connection: backend, handlers: { count: () => (served += 1) } });
    const flood = Array.from({ length: 100 }, () => greedy.sendMessage('count'));
    const outcomes = await Promise.allSettled(flood);
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    // One more comes with each second that the flood takes.
    assert.ok(served >= 5 && served <= 50, `${served} of 100 were served`);
    assert.equal(refused.length, 100 - served);
    await assert.rejects(Promise.all(flood), BUSY);
    const modest = await connectClient(scope, frontend);
    assert.equal((await modest.sendMessage('count')).status, 200);
  });

  it('does not limit the rate of clients by default', async (t) => {
    const scope = scopeOf(t);
    const { backend, client } = await open(scope);
    await startWorker(scope, { connection: backend, handlers: { fine: () => 'fine' } });
    await Promise.all(Array.from({ length: 2000 }, () => client.sendMessage('fine')));
  });
});
