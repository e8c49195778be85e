// test:all: 10 s; ../unit/transport/curve represents it
/**
 * Whatever contract a worker with a restricted key announces, every operation that a gateway then
 * serves has an event and a path that the key allows, and the operations of other workers are
 * unchanged.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ContractError } from '../../src/contract/errors.ts';
import { SILENT } from '../../src/gateway/common/api-source.ts';
import { contractChecker, readSettings } from '../../src/gateway/index.ts';
import { RouteTable } from '../../src/gateway/routing/route-table.ts';
import { ApiRegistry } from '../../src/openapi/index.ts';
import { readAnnouncement } from '../../src/router/backend/announcement.ts';
import { announcementRefusal } from '../../src/router/backend/announcement-policy.ts';
import { AnnouncedContracts } from '../../src/router/backend/contracts.ts';
import { PeerPermissions } from '../../src/transport/curve/permissions.ts';
import fc, { runs } from '../helpers/property.ts';

const PERMISSIONS = new PeerPermissions({
  name: 'evil',
  role: 'worker',
  serves: ['evil.*', 'GET /evil'],
  paths: ['/evil'],
});
const CONTEXT = { settings: readSettings({}), logger: SILENT, baseHeaders: [], guardFor: () => undefined };
const ok = { responses: { 200: { description: 'OK' } } };
const ELSEWHERE = { url: 'https://evil.example' };
const BANK = {
  paths: {
    '/bank/{account}/pay': { get: { 'x-event-name': 'bank.pay', ...ok } },
    '/bank': { get: { 'x-event-name': 'bank.get', ...ok } },
  },
};

/** Mostly harmless values, so that contracts are accepted, with an occasional hostile one. */
const mostly = <T>(harmless: readonly T[], hostile: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...harmless) }, { weight: 1, arbitrary: hostile });

const names = mostly<unknown>(
  ['evil.a', 'evil.b'],
  fc.constantFrom<unknown[]>(
    'bank.pay',
    '$router.info',
    '$',
    'heartbeat',
    'GET /evil',
    'evil.\ud800',
    'evil',
    '',
    null,
    7,
    ['evil.a'],
  ),
);
const segment = fc.constantFrom(
  'evil',
  'EVIL',
  '%65vil',
  'bank',
  '%62ank',
  'pay',
  '{x}',
  'evil{x}',
  '.',
  '..',
  '%2e%2E',
  '..%2f',
  '',
  '{}',
  '%7B%7D',
  ':p0',
  '*',
);
const path = mostly(
  ['/evil', '/evil/a', '/evil/{x}', '/evil/{x}.{y}'],
  fc.oneof(
    fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`),
    fc.constantFrom('x-path', 'evil', '/evil?x', '/evil#'),
  ),
);
const operation = fc.record(
  {
    'x-event-name': names,
    operationId: names,
    responses: fc.constant(ok.responses),
    servers: fc.constant([ELSEWHERE]),
    callbacks: fc.constant({ c: { '{$request.body#/url}': { post: { operationId: 'bank.pay', ...ok } } } }),
  },
  { requiredKeys: ['responses', 'x-event-name'] },
);
const reference = fc.constantFrom(
  '#/components/pathItems/P',
  '#/paths/~1evil',
  '#/paths/~1bank',
  '#/x-hidden',
  '#/components/schemas/P',
);
const operations = fc.record(
  { get: operation, post: operation, FIND: operation, trace: operation, servers: fc.constant([ELSEWHERE]) },
  { requiredKeys: ['get'] },
);
const pathItem = fc.oneof(
  { weight: 12, arbitrary: operations },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        get: operation,
        GET: operation,
        query: operation,
        'x-operation-query': operation,
        additionalOperations: fc.record({ COPY: operation }),
        $ref: reference,
      },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom(null, [], 'text', { $ref: '#/components/pathItems/P' }) },
);
const paths = fc
  .array(fc.tuple(path, pathItem), { maxLength: 4 })
  .map((entries) => Object.fromEntries(entries));
const fragments = fc.record(
  {
    openapi: fc.constantFrom('3.0.3', '3.1.0'),
    paths,
    servers: fc.constant([{ url: 'https://evil.example/bank' }]),
    basePath: fc.constant('/bank'),
    webhooks: paths,
    components: fc.record({ pathItems: fc.record({ P: pathItem }) }),
    'x-hidden': pathItem,
  },
  { requiredKeys: ['paths'] },
);
const announcements = fc.record({
  events: mostly<string[] | undefined>(
    [
      ['evil.a', 'evil.b'],
      ['evil.a', 'evil.b', 'GET /evil'],
    ],
    fc.option(fc.subarray(['evil.a', 'evil.b', 'bank.pay', '$router.info']), { nil: undefined }),
  ),
  contract: fc.record({ name: mostly(['evil'], fc.constant('bank')), fragment: fragments }),
});

it('random contracts: every served operation is within the permissions of the worker key', () => {
  let accepted = 0;
  fc.assert(
    fc.property(announcements, (announced) => {
      const registry = new ApiRegistry();
      const contracts = new AnnouncedContracts(contractChecker(registry));
      assert.notEqual(typeof contracts.acquire('bank', BANK, ['bank.pay', 'bank.get']), 'string');
      const before = JSON.stringify(registry.snapshot().operations);
      // Through JSON, as on the wire.
      const read = readAnnouncement(JSON.parse(JSON.stringify(announced)) as typeof announced);
      if (typeof read === 'string') return;
      if (announcementRefusal(PERMISSIONS, read) !== undefined) return;
      const { contract, claims } = read;
      assert.ok(contract !== undefined);
      const refusal = contracts.acquire(
        contract.name,
        contract.fragment,
        claims.map(({ eventName }) => eventName),
      );
      const { operations } = registry.snapshot();
      const own = operations.filter(({ source, path }) => source !== 'bank' || !path.startsWith('/bank'));
      if (typeof refusal !== 'string') accepted += own.length;
      for (const { path, eventName } of own) {
        assert.ok(PERMISSIONS.mayServe(eventName), `${path} leads to ${eventName}`);
        assert.ok(PERMISSIONS.mayAnnounce(path), `${path} is not allowed`);
        assert.ok(announced.events?.includes(eventName), `${eventName} is not announced`);
        assert.ok(!eventName.startsWith('$'));
      }
      const others = operations.filter((each) => !own.includes(each));
      assert.equal(JSON.stringify(others), before);
      assert.doesNotMatch(JSON.stringify(operations), /evil\.example/);
      const table = new RouteTable(registry.snapshot(), new Map(), CONTEXT);
      for (const url of ['/bank', '/bank/7/pay', '/%62ank', '/']) {
        const match = table.find(url);
        if (match === undefined || typeof match === 'symbol' || match.target.kind !== 'path') continue;
        for (const { operation } of match.target.routes.values()) assert.equal(operation.source, 'bank');
      }
    }),
    { numRuns: runs(1000) },
  );
  assert.ok(accepted > 20, `only ${accepted} operations were accepted: the generator is too weak`);
});

it('random contracts: a gateway serves exactly the claims that a router reads, or rejects the contract', () => {
  let served = 0;
  fc.assert(
    fc.property(fragments, (fragment) => {
      const plain: unknown = JSON.parse(JSON.stringify(fragment));
      const read = readAnnouncement({ contract: { name: 'evil', fragment: plain } });
      const registry = new ApiRegistry();
      try {
        registry.put('evil', plain, { kind: 'worker' });
      } catch (error) {
        assert.ok(error instanceof ContractError);
        return;
      }
      assert.ok(typeof read !== 'string', typeof read === 'string' ? read : '');
      const { operations } = registry.snapshot();
      served += operations.length;
      const claims = read.claims.map(({ method, path, eventName }) => `${method} ${path} ${eventName}`);
      // Paths of one shape share the parameter name of the first; a path that repeats a name gets
      // another one.
      const plainOf = (text: string): string =>
        text.replaceAll(/\{[^{}]*\}/g, '{}').replaceAll(/%[0-9a-f]{2}/gi, '');
      assert.deepEqual(
        operations.map(({ method, path, eventName }) => plainOf(`${method} ${path} ${eventName}`)).sort(),
        claims.map(plainOf).sort(),
      );
    }),
    { numRuns: runs(1000) },
  );
  assert.ok(served > 100, `only ${served} operations were served: the generator is too weak`);
});
