import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { claimsOf } from '../../../src/contract/claims.ts';
import { ContractError } from '../../../src/contract/errors.ts';
import { ApiRegistry } from '../../../src/openapi/index.ts';

const ok = { responses: { 200: { description: 'OK' } } };

/** What a gateway would serve of a worker's contract: method, path and event of each operation. */
function served(fragment: unknown): string[] {
  const registry = new ApiRegistry();
  registry.put('w', fragment, { kind: 'worker' });
  const { operations } = registry.snapshot();
  return operations.map(({ method, path, eventName }) => `${method} ${path} ${eventName}`);
}

const claimed = (fragment: unknown): string[] =>
  claimsOf(fragment).map(({ method, path, eventName }) => `${method} ${path} ${eventName}`);

describe('claims of a contract', () => {
  it('claims of a contract: use x-event-name, else operationId, else method and path, like a gateway', () => {
    const fragment = {
      openapi: '3.1.0',
      paths: {
        '/a': { get: { 'x-event-name': 'a.get', operationId: 'bank.pay', ...ok }, summary: 'A' },
        '/b': { post: { operationId: 'bank.pay', ...ok } },
        '/c': { delete: ok, search: { 'x-event-name': 'not an operation' } },
        '/d': { get: { 'x-event-name': null, operationId: 'd.get', ...ok } },
        'x-internal': { get: { 'x-event-name': 'extension' } },
      },
      components: { pathItems: { P: { get: { 'x-event-name': 'unused' } } } },
      webhooks: { w: { post: { operationId: '$router.info', ...ok } } },
    };
    const all = ['get /a a.get', 'post /b bank.pay', 'delete /c DELETE /c', 'get /d d.get'];
    assert.deepEqual(claimed(fragment), all);
    assert.deepEqual(served(fragment), all);
  });

  const refused: Readonly<Record<string, readonly [unknown, RegExp]>> = {
    'a path item that is a $ref': [
      { '/evil': { $ref: '#/components/pathItems/P' } },
      /\/evil: .*must not be a \$ref/,
    ],
    'a path item with operations and a $ref': [
      { '/evil': { get: { 'x-event-name': 'evil' }, $ref: '#/paths/~1bank' } },
      /must not be a \$ref/,
    ],
    'a reserved x-event-name': [
      { '/evil': { get: { 'x-event-name': '$router.info' } } },
      /GET \/evil: .*"\$router.info" starts with \$/,
    ],
    'a reserved operationId': [{ '/evil': { get: { operationId: '$router.info' } } }, /starts with \$/],
    'a reserved operationId beside null': [
      { '/evil': { get: { 'x-event-name': null, operationId: '$x' } } },
      /starts with \$/,
    ],
    'an event name of the protocol': [{ '/evil': { get: { operationId: 'heartbeat' } } }, /protocol itself/],
    'an event name that is not text': [
      { '/evil': { get: { 'x-event-name': ['evil'] } } },
      /must be a string/,
    ],
    'an event name with white space at its end': [
      { '/evil': { get: { 'x-event-name': 'evil ' } } },
      /must not start or end with white space, got "evil "/,
    ],
    'broken Unicode': [{ '/evil': { get: { 'x-event-name': 'evil.\ud800' } } }, /unpaired surrogates/],
    'dot segments': [{ '/evil/../bank': { get: { operationId: 'evil' } } }, /segments \. or \.\./],
    'encoded dot segments': [{ '/evil/%2E%2e/bank': { get: { operationId: 'evil' } } }, /segments/],
    'dot segments after an encoded slash': [
      { '/evil/..%2fbank': { get: { operationId: 'evil' } } },
      /segments/,
    ],
    'dot segments next to broken encoding': [
      { '/evil/%zz/%2e%2e/bank': { get: { operationId: 'evil' } } },
      /segments/,
    ],
    'dot segments after a backslash': [{ '/evil\\..\\bank': { get: { operationId: 'evil' } } }, /segments/],
    'a method in upper case': [{ '/evil': { GET: { operationId: 'evil' } } }, /"GET" is not a method/],
    'a parameter of another framework': [
      { '/evil/:id': { get: { operationId: 'evil' } } },
      /\/evil\/:id: .*: :id is not a parameter \(did you mean \{id\}\?\)$/,
    ],
    'a path without a slash': [{ evil: { get: { operationId: 'evil' } } }, /start with a slash/],
  };
  for (const [what, [paths, why]] of Object.entries(refused)) {
    it(`claims of a contract: router and gateway both reject ${what}`, () => {
      const fragment = {
        openapi: '3.1.0',
        paths,
        components: { pathItems: { P: { get: { operationId: 'bank.pay' } } } },
      };
      assert.throws(() => claimsOf(fragment), why);
      assert.throws(() => served(fragment), ContractError);
    });
  }

  it('claims of a contract: ignore members of prototypes', () => {
    const fragment: unknown = JSON.parse(
      '{"__proto__":{"paths":{"/evil":{"get":{"operationId":"bank.pay"}}}}}',
    );
    assert.deepEqual(claimsOf(fragment), []);
    assert.throws(() => served(fragment), /__proto__/);
    const inherited: unknown = JSON.parse(
      '{"paths":{"/evil":{"__proto__":{"get":{"operationId":"bank.pay"}}}}}',
    );
    assert.deepEqual(claimsOf(inherited), []);
    assert.throws(() => served(inherited), /__proto__/);
  });
});

describe('registry', () => {
  it('registry: rejects operations with an event that the workers of the contract do not announce', () => {
    const registry = new ApiRegistry();
    const fragment = { paths: { '/evil': { get: { operationId: 'bank.pay', ...ok } } } };
    assert.throws(
      () => registry.put('evil', fragment, { kind: 'worker', events: ['evil.get'] }),
      /evil: GET \/evil: .*uses the event bank.pay, which its workers do not announce/,
    );
    assert.deepEqual(registry.names(), []);
  });

  it('registry: rejects reserved events in documents of operators', () => {
    const registry = new ApiRegistry();
    for (const name of ['x-event-name', 'operationId']) {
      const paths = { '/info': { get: { [name]: '$router.info', ...ok } } };
      assert.throws(() => registry.put('doc', { openapi: '3.1.0', paths }), /starts with \$/);
    }
  });

  it('registry: treats paths that differ only in percent-encoding as the same path', () => {
    const registry = new ApiRegistry();
    const at = (path: string) => ({ paths: { [path]: { get: { operationId: 'a', ...ok } } } });
    registry.put('first', at('/a/{x}'), { kind: 'worker' });
    assert.throws(
      () => registry.put('second', at('/%61/{y}'), { kind: 'worker' }),
      /already serves GET \/a\/\{x\}/,
    );
    // Encoded braces are text, not a parameter.
    registry.put(
      'third',
      { paths: { '/a/%7B%7D': { get: { operationId: 'b', ...ok } } } },
      { kind: 'worker' },
    );
    assert.deepEqual(
      registry.snapshot().operations.map(({ path }) => path),
      ['/a/{x}', '/a/%7B%7D'],
    );
  });

  it('registry: serves operations wherever a contract declares them', () => {
    const registry = new ApiRegistry();
    const get = { operationId: 'a', servers: [{ url: 'https://evil.example' }], ...ok };
    registry.put(
      'w',
      { paths: { '/a': { get, servers: [{ url: 'https://evil.example' }] } } },
      { kind: 'worker' },
    );
    assert.doesNotMatch(JSON.stringify(registry.snapshot().document), /evil\.example/);
  });
});
