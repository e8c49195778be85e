/** A contract that requires an unknown security scheme is rejected, and the worker logs the reason. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { it } from 'node:test';
import Joi from 'joi';
import { openRegistry } from '../../../src/cli/commands/gateway.ts';
import { contractChecker } from '../../../src/gateway/index.ts';
import { defineContract, ZeroMQRouter, ZeroMQWorker } from '../../../src/index.ts';

const ANY = 'tcp://127.0.0.1:0';

it('up: rejects a contract that requires a security scheme which is not configured', async (t) => {
  const keys = [{ id: 'eva', key: 'a-very-secret-key' }];
  const http = { auth: { schemes: { key: { type: 'apiKey', keys } } } };
  const registry = openRegistry({
    host: '127.0.0.1',
    port: 0,
    accessLog: false,
    timeout: 5000,
    http,
    hooks: undefined,
    docs: undefined,
    store: undefined,
    tlsCert: undefined,
    tlsKey: undefined,
    apiTitle: undefined,
    apiDescription: undefined,
  });
  const checker = contractChecker(registry);
  const router = new ZeroMQRouter({
    frontendConnection: ANY,
    backendConnection: ANY,
    contractChecker: checker,
  });
  t.after(() => router.stop({ deadline: 0 }));
  const { backend } = await router.start();
  const contract = defineContract({
    name: 'vault',
    securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    events: {
      'vault.open': { method: 'GET', path: '/vault', security: ['token'], data: Joi.object({}) },
    },
  });
  const handlers = { 'vault.open': () => 'open' };
  const worker = new ZeroMQWorker({ connection: backend, contract, handlers });
  t.after(() => worker.stop({ deadline: 0 }));
  const refused = once(worker, 'rejected');
  await worker.start();
  const [, reason] = (await refused) as [string, string];
  assert.match(
    reason,
    /vault: GET \/vault: .*requires the scheme token, which the gateway has not configured/,
  );
  assert.match(reason, /configured: key/);
  assert.deepEqual(registry.names(), []);
});
