/**
 * Contracts of workers with CURVE keys. Whatever a worker announces, HTTP callers reach only what
 * its key allows.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { silentLogger } from '../../src/core/logging/logging.ts';
import { WITHOUT_STREAM } from '../../src/core/messages/stream.ts';
import { ApiRegistry, contractChecker, LiveContracts } from '../../src/gateway/index.ts';
import { type AllowListEntry, curveKeyPair, defineContract, type ZeroMQWorker } from '../../src/index.ts';
import { emissions, eventually, within } from '../helpers/eventually.ts';
import { ownServer } from '../helpers/gateway/hosts.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { ADMIN, keysOf, startGuarded } from './curve-nodes.ts';
import { makeClient, makeWorker } from './framework.ts';

failOnLeftovers(() => fetch('http://127.0.0.1:9').catch(() => undefined));

const BANK = curveKeyPair();
const EVIL = curveKeyPair();

const PEERS: readonly AllowListEntry[] = [
  { name: 'bank', publicKey: BANK.publicKey, role: 'worker', serves: ['bank.*'], paths: ['/bank'] },
  { name: 'evil', publicKey: EVIL.publicKey, role: 'worker', serves: ['evil.*'], paths: ['/evil'] },
  // A gateway whose key may call everything, including built-in events.
  { name: 'gateway', publicKey: ADMIN.publicKey, role: 'admin' },
];

const close = { headers: { connection: 'close' } };
const ok = { responses: { 200: { description: 'OK' } } };

/** A router with keys, a gateway in front of it, and the worker of a bank. */
async function startBank(scope: Scope, checked: boolean) {
  const contractCheck = checked ? contractChecker(new ApiRegistry()) : undefined;
  const { frontend, backend } = await startGuarded(scope, PEERS, { contractChecker: contractCheck });
  const client = makeClient(scope, { connection: frontend, curve: keysOf(ADMIN) });
  await client.connect({ timeout: PATIENCE });
  const registry = new ApiRegistry();
  const live = new LiveContracts(registry, silentLogger);
  scope.after(() => live.close());
  live.watch(client, frontend);
  const { url } = await ownServer(scope, { requester: client, api: registry });
  const contract = defineContract({
    name: 'bank',
    events: { 'bank.pay': { method: 'POST', path: '/bank/pay' } },
  });
  const paid: unknown[] = [];
  const bank = makeWorker(scope, {
    connection: backend,
    curve: keysOf(BANK),
    contract,
    handlers: { 'bank.pay': (data: unknown) => paid.push(data) },
  });
  await bank.start();
  const there = () => registry.snapshot().operations.length > 0;
  await eventually(emissions(registry, 'change'), there, 'the contract of the bank');
  return { backend, registry, url, paid };
}

/** Returns the router's answer to a worker with the key `evil` that announces this contract. */
async function announce(
  scope: Scope,
  backend: string,
  paths: object,
  more: object = {},
): Promise<string | undefined> {
  const event = 'evil.get';
  const contract = defineContract({ name: 'evil', events: { [event]: { method: 'GET', path: '/evil' } } });
  const fragment = { openapi: '3.1.0', info: { title: 'Evil', version: '1' }, paths, ...more };
  const worker: ZeroMQWorker = makeWorker(scope, {
    connection: backend,
    curve: keysOf(EVIL),
    contract: { ...contract, fragment: () => fragment as ReturnType<typeof contract.fragment> },
    handlers: { [event]: () => 'evil' },
  });
  const answer = new Promise<string | undefined>((resolve) => {
    worker.on('rejected', (_endpoint, why) => resolve(why));
    worker.on('accepted', () => resolve(undefined));
  });
  await worker.start();
  const why = await within(answer, 'the answer of the router');
  await worker.stop();
  return why;
}

const pay = { operationId: 'bank.pay', ...ok };
const ATTACKS: Readonly<Record<string, readonly [object, RegExp, object?]>> = {
  'an operationId instead of x-event-name': [{ '/evil': { get: pay } }, /does not announce.*|bank\.pay/],
  'a path item that is a $ref': [
    { '/evil': { $ref: '#/components/pathItems/P' } },
    /must not be a \$ref/,
    { components: { pathItems: { P: { get: pay } } } },
  ],
  'a built-in event': [{ '/evil': { get: { operationId: '$router.info', ...ok } } }, /starts with \$/],
  'a default name': [{ '/evil': { get: ok } }, /does not announce the event/],
  'dot segments': [{ '/evil/../bank/pay': { get: { 'x-event-name': 'evil.get', ...ok } } }, /segments/],
  'a template that matches the paths of others': [
    { '/{any}': { get: { 'x-event-name': 'evil.get', ...ok } } },
    /under "\/\{any\}"/,
  ],
  'a template that begins like its own path': [
    { '/evil{any}': { get: { 'x-event-name': 'evil.get', ...ok } } },
    /under "\/evil\{any\}"/,
  ],
  'a path in different case': [{ '/EVIL': { get: { 'x-event-name': 'evil.get', ...ok } } }, /under "\/EVIL"/],
  'a path next to its own': [
    {
      '/evil': { get: { 'x-event-name': 'evil.get', ...ok } },
      '/bank/pay': { get: { 'x-event-name': 'evil.get', ...ok } },
    },
    /under "\/bank\/pay"/,
  ],
};

for (const checked of [true, false]) {
  it(`router ${checked ? 'with' : 'without'} a contract checker: a worker's contract reaches no event or path of others`, async (t) => {
    const scope = scopeOf(t);
    const { backend, registry, url, paid } = await startBank(scope, checked);
    for (const [attack, [paths, why, more]] of Object.entries(ATTACKS)) {
      const refusal = await announce(scope, backend, paths, more);
      assert.match(String(refusal), why, attack);
      for (const path of ['/evil', '/evil/../bank/pay', '/evilx', '/bank']) {
        const { status } = await fetch(`${url}${path}`, close);
        assert.notEqual(status, 200, `${attack}: ${path}`);
      }
      assert.deepEqual(registry.names(), ['bank'], attack);
    }
    assert.equal(
      await announce(scope, backend, { '/evil': { get: { 'x-event-name': 'evil.get', ...ok } } }),
      undefined,
    );
    assert.deepEqual(paid, []);
    assert.equal((await fetch(`${url}/bank/pay`, { method: 'POST', ...close })).status, 200);
  });
}

it('gateway: rejects a contract whose operations the router did not check', (t) => {
  const scope = scopeOf(t);
  const registry = new ApiRegistry();
  const errors: string[] = [];
  const logger = {
    ...silentLogger,
    error: (fields: object) => void errors.push(String((fields as { err?: Error }).err)),
  };
  const live = new LiveContracts(registry, logger);
  scope.after(() => live.close());
  const listing = {
    revision: 1,
    contracts: [
      { name: 'evil', fragment: { paths: { '/evil': { get: pay } } }, events: ['evil.get'], available: true },
    ],
  };
  let asked = 0;
  const body = Buffer.from(JSON.stringify(listing));
  const reply = {
    status: 200,
    code: '',
    dispatched: true,
    more: false,
    contentType: '',
    extras: Buffer.alloc(0),
    body,
  };
  live.watch(
    {
      reachable: true,
      request: (_request, settle) => {
        asked += 1;
        if (asked === 1) settle(reply);
        return { ...WITHOUT_STREAM, cancel: () => undefined };
      },
    },
    'router',
  );
  assert.deepEqual(registry.names(), []);
  assert.match(errors.join(), /uses the event bank\.pay, which its workers do not announce/);
});
