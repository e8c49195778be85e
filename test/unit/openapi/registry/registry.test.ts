import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ContractError } from '../../../../src/contract/errors.ts';
import type { ApiSnapshot } from '../../../../src/openapi/index.ts';
import { ApiRegistry } from '../../../../src/openapi/index.ts';

/** A document of one operation. */
function one(path: string, operation: object, more: object = {}): object {
  return {
    openapi: '3.1.0',
    info: { title: 'Test', version: '1.2.3' },
    paths: { [path]: { get: { responses: { 200: { description: 'OK' } }, ...operation } } },
    ...more,
  };
}

function rejection(run: () => unknown): ContractError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ContractError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' });
}

describe('ApiRegistry', () => {
  it('ApiRegistry: rejects a contract that requires a security scheme the gateway has not configured', () => {
    const scheme = { type: 'apiKey', in: 'header', name: 'X-Key' };
    const more = { components: { securitySchemes: { key: scheme, token: scheme } } };
    const registry = new ApiRegistry({ configuredSchemes: ['key'] });
    const get = (path: string, name: string) =>
      one(path, { 'x-event-name': `get${path}`, security: [{ [name]: [] }] }, more);
    registry.put('mine', get('/mine', 'key'), { kind: 'worker' });
    const rejected = rejection(() => registry.put('stranger', get('/stranger', 'token'), { kind: 'worker' }));
    assert.equal(rejected.location.source, 'stranger');
    assert.match(rejected.message, /requires the scheme token, which .* not configured \(configured: key\)/);
    assert.deepEqual(registry.names(), ['mine']);
  });

  it('ApiRegistry: starts with a valid document without operations', () => {
    const { revision, document, operations } = new ApiRegistry().snapshot();
    assert.equal(revision, 0);
    assert.equal(document.openapi, '3.1.0');
    assert.deepEqual(document.paths, {});
    assert.deepEqual(operations, []);
  });

  it('ApiRegistry: accepts a document as text or value, and emits each change', () => {
    const registry = new ApiRegistry();
    const seen: ApiSnapshot[] = [];
    registry.on('change', (snapshot) => seen.push(snapshot));
    registry.put('a', JSON.stringify(one('/a', { 'x-event-name': 'a.get' })));
    registry.put('b', one('/b/{id}', { operationId: 'getB' }));
    assert.deepEqual(
      seen.map(({ revision, operations }) => [revision, operations.map(({ eventName }) => eventName)]),
      [
        [1, ['a.get']],
        [2, ['a.get', 'getB']],
      ],
    );
    assert.equal(registry.snapshot(), seen[1]);
    assert.deepEqual(registry.names(), ['a', 'b']);
    assert.equal(registry.remove('a'), true);
    assert.equal(registry.remove('a'), false);
    assert.deepEqual(Object.keys(registry.snapshot().document.paths ?? {}), ['/b/{id}']);
    assert.equal(seen.length, 3);
  });

  it('ApiRegistry: does not modify the given documents', () => {
    const registry = new ApiRegistry();
    const given = one('/a', { operationId: 'a', description: 'before' });
    registry.put('a', given);
    (given as { paths: { '/a': { get: { description: string } } } }).paths['/a'].get.description = 'after';
    assert.equal(registry.snapshot().document.paths?.['/a']?.get?.description, 'before');
  });

  it('ApiRegistry: treats operations without x-event-name according to the option unnamed', () => {
    const named = one('/a/{id}', { operationId: 'getA' });
    const bare = one('/a/{id}', {});
    const names = (document: object, unnamed?: 'operationId' | 'skip' | 'reject'): string[] =>
      new ApiRegistry()
        .put('a', document, { unnamed, prefix: '/v1' })
        .operations.map(({ eventName }) => eventName);
    assert.deepEqual(names(named), ['getA']);
    assert.deepEqual(names(bare), ['GET /a/{id}']);
    assert.deepEqual(names(named, 'skip'), []);
    assert.match(
      rejection(() => names(named, 'reject')).message,
      /^a: GET \/v1\/a\/\{id\}: .*x-event-name is missing/,
    );
  });

  it('ApiRegistry: adds the prefix to paths', () => {
    const registry = new ApiRegistry();
    registry.put('a', one('/a', { operationId: 'a' }), { prefix: '/v1/' });
    assert.equal(registry.snapshot().operations[0]?.path, '/v1/a');
    assert.ok(registry.snapshot().document.paths?.['/v1/a']?.get);
    assert.throws(() => registry.put('b', one('/b', {}), { prefix: '/{v}' }), ContractError);
    assert.throws(() => registry.put('b', one('/b', {}), { prefix: 'v1' }), ContractError);
  });

  it('ApiRegistry: rejects a method and path of another source, names that source and stays unchanged', () => {
    const registry = new ApiRegistry();
    registry.put('tasks.yaml', one('/tasks/{id}', { 'x-event-name': 'tasks.get' }));
    const before = registry.snapshot();
    const error = rejection(() =>
      registry.put('other', one('/tasks/{task}', { 'x-event-name': 'other.get' })),
    );
    assert.match(
      error.message,
      /^other: GET \/tasks\/\{task\}: event other.get: at #.*: tasks.yaml already serves GET \/tasks\/\{id\}/,
    );
    assert.equal(error.code, 'INVALID_CONTRACT');
    assert.equal(error.location.source, 'other');
    assert.equal(registry.snapshot(), before);
  });

  it('ApiRegistry: rejects an event of another source with different data, and accepts one with the same data', () => {
    const registry = new ApiRegistry();
    const id = (schema: object): object => ({
      'x-event-name': 'tasks.get',
      parameters: [{ name: 'id', in: 'path', required: true, schema }],
    });
    registry.put('first', one('/tasks/{id}', id({ type: 'integer', description: 'said by the first' })));
    const error = rejection(() => registry.put('second', one('/todo/{id}', id({ type: 'string' }))));
    assert.match(
      error.message,
      /^second: GET \/todo\/\{id\}: event tasks.get: at #.*: first already uses the event with different data/,
    );
    registry.put(
      'second',
      one('/todo/{id}', id({ $ref: '#/components/schemas/Id' }), {
        components: { schemas: { Id: { type: 'integer' } } },
      }),
    );
    assert.equal(registry.snapshot().operations.length, 2);
  });

  it('ApiRegistry: replaces a contract without workers by a conflicting one of a connected worker', () => {
    const registry = new ApiRegistry();
    const worker = { kind: 'worker' } as const;
    registry.put('old', one('/a', { operationId: 'a' }), worker);
    registry.put('other', one('/b', { operationId: 'b' }), worker);
    assert.match(
      rejection(() => registry.put('new', one('/a', { operationId: 'z' }), worker)).message,
      /old already serves GET/,
    );
    registry.setAvailable('old', false);
    registry.setAvailable('other', false);
    rejection(() => registry.put('file', one('/a', { operationId: 'z' })));
    rejection(() => registry.put('new', one('/a', { operationId: 'z' }), { ...worker, available: false }));
    const changes: number[] = [];
    registry.on('change', ({ operations }) => changes.push(operations.length));
    registry.put('new', one('/a', { operationId: 'z' }), worker);
    assert.deepEqual([registry.names(), changes], [['other', 'new'], [2]]);
    assert.deepEqual([registry.has('old'), registry.has('new')], [false, true]);
    registry.put('file', one('/c', { operationId: 'c' }), { available: false });
    assert.match(
      rejection(() => registry.put('third', one('/c', { operationId: 'y' }), worker)).message,
      /file already serves/,
    );
  });

  it('ApiRegistry: rejects an operation that a document defines twice', () => {
    const document = one('/tasks/{id}', { operationId: 'a' }) as { paths: Record<string, object> };
    document.paths['/tasks/{other}'] = { get: { operationId: 'b' } };
    assert.match(
      rejection(() => new ApiRegistry().put('a', document)).message,
      /is defined twice: \/tasks\/\{id\}/,
    );
  });

  it('ApiRegistry: replaces a source of the same name, and keeps it if the new one is not valid', () => {
    const registry = new ApiRegistry();
    registry.put('a', one('/a', { operationId: 'a' }));
    registry.put('a', one('/a2', { operationId: 'a' }));
    assert.deepEqual(Object.keys(registry.snapshot().document.paths ?? {}), ['/a2']);
    assert.throws(() => registry.put('a', one('a3', {})), ContractError);
    assert.deepEqual(Object.keys(registry.snapshot().document.paths ?? {}), ['/a2']);
  });

  it('ApiRegistry: marks operations without a worker', () => {
    const registry = new ApiRegistry();
    registry.put('a', one('/a', { operationId: 'a', description: 'All of a.' }), { available: false });
    const marked = registry.snapshot().document.paths?.['/a']?.get as Record<string, unknown>;
    assert.equal(marked['x-available'], false);
    assert.match(String(marked['description']), /^All of a\.\n\nNo worker serves this operation/);
    assert.equal(registry.snapshot().operations[0]?.available, false);
    assert.equal(registry.setAvailable('a', true), true);
    const { revision } = registry.snapshot();
    const again = registry.snapshot().document.paths?.['/a']?.get as Record<string, unknown>;
    assert.equal(again['x-available'], undefined);
    assert.equal(again['description'], 'All of a.');
    registry.setAvailable('a', true);
    assert.equal(registry.snapshot().revision, revision);
    assert.equal(registry.setAvailable('b', true), false);
  });

  it('ApiRegistry: lists the error responses of the gateway with one shared schema', () => {
    const operation = {
      operationId: 'a',
      responses: {
        200: { description: 'OK' },
        400: { description: 'Own', content: { 'application/json': { schema: { type: 'object' } } } },
      },
      requestBody: { content: { 'application/json': { schema: { type: 'object' } } } },
      security: [{ key: [] }],
    };
    const registry = new ApiRegistry({
      securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-Key' } },
    });
    const { document } = registry.put('a', one('/a', operation));
    const responses = document.paths?.['/a']?.get?.responses as Record<
      string,
      { content?: object; $ref?: string }
    >;
    for (const status of ['401', '403', '406', '408', '413', '415', '429', '500', '502', '503', '504']) {
      assert.equal(responses[status]?.$ref, `#/components/responses/Problem${status}`, status);
      assert.ok(document.components?.responses?.[`Problem${status}`], status);
    }
    assert.deepEqual(Object.keys(responses['400']?.content ?? {}), [
      'application/json',
      'application/problem+json',
    ]);
    assert.ok(document.components?.schemas?.['ProblemDetails']);
    assert.ok(document.components?.securitySchemes?.['key']);
  });

  it('ApiRegistry: separates different components of the same name, and shares equal ones', () => {
    const withPet = (path: string, pet: object): object =>
      one(
        path,
        {
          operationId: `get${path.slice(1)}`,
          responses: {
            200: {
              description: 'OK',
              content: { 'application/json': { schema: { $ref: '#/components/schemas/Pet' } } },
            },
          },
        },
        {
          components: {
            schemas: {
              Pet: { type: 'object', properties: { tag: { $ref: '#/components/schemas/Tag' } } },
              Tag: pet,
            },
          },
        },
      );
    const registry = new ApiRegistry();
    registry.put('first', withPet('/a', { type: 'string' }));
    registry.put('same', withPet('/b', { type: 'string' }));
    const { document } = registry.put('my worker', withPet('/c', { type: 'integer' }));
    const schemas = (document.components?.schemas ?? {}) as Record<string, { properties?: object }>;
    assert.deepEqual(
      Object.keys(schemas).filter((name) => name !== 'ProblemDetails'),
      ['Pet', 'Tag', 'my_worker.Pet', 'my_worker.Tag'],
    );
    assert.deepEqual(schemas['my_worker.Pet']?.properties, {
      tag: { $ref: '#/components/schemas/my_worker.Tag' },
    });
    assert.match(JSON.stringify(document.paths?.['/c']), /#\/components\/schemas\/my_worker\.Pet/);
    assert.match(JSON.stringify(document.paths?.['/b']), /#\/components\/schemas\/Pet"/);
  });

  it('ApiRegistry: accepts components with any name', () => {
    const names = ['constructor', 'toString', 'hasOwnProperty', 'valueOf'];
    const schemas = Object.fromEntries(names.map((name) => [name, { type: 'string', title: name }]));
    const properties = Object.fromEntries(
      names.map((name) => [name, { $ref: `#/components/schemas/${name}` }]),
    );
    const requestBody = { content: { 'application/json': { schema: { type: 'object', properties } } } };
    const { document } = new ApiRegistry().put('w', one('/a', { requestBody }, { components: { schemas } }), {
      kind: 'worker',
    });
    for (const name of names) assert.ok(Object.hasOwn(document.components?.schemas ?? {}, name), name);
  });

  it('ApiRegistry: joins operations on one path with different parameter names', () => {
    const registry = new ApiRegistry();
    registry.put('reader', one('/tasks/{id}', { 'x-event-name': 'tasks.get' }));
    const { operations, document } = registry.put('writer', {
      paths: {
        '/tasks/{taskId}': {
          delete: {
            'x-event-name': 'tasks.delete',
            parameters: [{ name: 'taskId', in: 'path', required: true, schema: { type: 'integer' } }],
          },
        },
      },
    });
    assert.deepEqual(Object.keys(document.paths ?? {}), ['/tasks/{id}']);
    const removal = operations.find(({ eventName }) => eventName === 'tasks.delete');
    assert.equal(removal?.path, '/tasks/{id}');
    assert.equal(removal?.parameters[0]?.name, 'id');
    assert.equal(removal?.parameters[0]?.field, 'taskId');
  });

  it('ApiRegistry: gives each operation a unique operationId', () => {
    const registry = new ApiRegistry();
    registry.put('a', one('/a', { operationId: 'get', 'x-event-name': 'a' }));
    const { operations } = registry.put('b', one('/b', { operationId: 'get', 'x-event-name': 'b' }));
    assert.deepEqual(
      operations.map(({ operationId }) => operationId),
      ['get', 'b_get'],
    );
    const { operations: more } = registry.put('c', one('/c', { 'x-event-name': 'c.get' }));
    assert.equal(more[2]?.operationId, 'c.get');
  });

  it('ApiRegistry: serves info, servers and tags', () => {
    const registry = new ApiRegistry();
    const tags = {
      tags: [{ name: 'tasks', description: 'Things to do.' }],
      servers: [{ url: 'https://elsewhere' }],
    };
    registry.put('a', one('/a', { operationId: 'a' }, tags));
    assert.equal(registry.snapshot().document.info.title, 'Test');
    assert.deepEqual(registry.snapshot().document.servers, [{ url: '/' }]);
    registry.put('b', { ...one('/b', { operationId: 'b' }), info: { title: 'Other', version: '2' } });
    const { info, tags: merged } = registry.snapshot().document;
    assert.equal(info.title, 'API');
    assert.equal(info.description, '- Test 1.2.3\n- Other 2');
    assert.deepEqual(merged, [{ name: 'tasks', description: 'Things to do.' }]);
    const described = new ApiRegistry({ info: { title: 'Mine', version: '9' }, servers: [{ url: '/api' }] });
    const { document } = described.put('a', one('/a', { operationId: 'a' }));
    assert.deepEqual(
      [document.info.title, document.info.version, document.servers],
      ['Mine', '9', [{ url: '/api' }]],
    );
  });

  it('ApiRegistry: limits contracts of workers', () => {
    const put = (document: unknown, limits: object): unknown =>
      new ApiRegistry({ workerLimits: limits }).put('w', document, { kind: 'worker' });
    const many = { paths: { '/a': { get: {} }, '/b': { get: {} }, '/c': { get: {} } } };
    assert.match(rejection(() => put(many, { operations: 2 })).message, /more than 2 operations/);
    assert.match(rejection(() => put(many, { bytes: 30 })).message, /larger than 30 bytes/);
    assert.match(rejection(() => put(JSON.stringify(many), { bytes: 30 })).message, /larger than 30 bytes/);
    assert.match(rejection(() => put(many, { depth: 2 })).message, /deeper than 2/);
    assert.match(rejection(() => put(many, { pathLength: 1 })).message, /longer than 1 characters/);
    const parameters = [1, 2, 3].map((n) => ({ name: `p${n}`, in: 'query', schema: {} }));
    assert.match(
      rejection(() => put(one('/a', { parameters }), { parameters: 2 })).message,
      /more than 2 parameters/,
    );
    const pattern = one('/a', { parameters: [{ name: 'p', in: 'query', schema: { pattern: 'abc' } }] });
    assert.match(
      rejection(() => put(pattern, { patternLength: 2 })).message,
      /parameters\/0\/schema\/pattern: .*longer than 2/,
    );
  });

  it('ApiRegistry: limits the operations of all sources together', () => {
    const registry = new ApiRegistry({ maxOperations: 1 });
    registry.put('a', one('/a', { operationId: 'a' }));
    registry.put('a', one('/a', { operationId: 'a' }));
    assert.match(
      rejection(() => registry.put('b', one('/b', { operationId: 'b' }))).message,
      /more than 1 operations/,
    );
  });
});

describe('path items that webhooks and callbacks refer to', () => {
  const pathItem = (type: string) => ({
    post: { requestBody: { content: { 'application/json': { schema: { type } } } } },
  });
  const hooks = (type: string, path: string) =>
    one(
      path,
      {
        operationId: `get${path}`,
        callbacks: { onIt: { '{$request.body#/url}': { $ref: '#/components/pathItems/Hook' } } },
      },
      {
        webhooks: { [`new${path}`]: { $ref: '#/components/pathItems/Alias' } },
        components: {
          pathItems: {
            Hook: pathItem(type),
            Alias: { $ref: '#/components/pathItems/Hook' },
            Unused: pathItem('null'),
          },
        },
      },
    );

  it('path items: are served if webhooks or callbacks refer to them', () => {
    const { document } = new ApiRegistry().put('a', hooks('object', '/a'));
    assert.deepEqual(Object.keys(document.components?.pathItems ?? {}).sort(), ['Alias', 'Hook']);
    assert.equal(JSON.stringify(document.webhooks?.['new/a']), '{"$ref":"#/components/pathItems/Alias"}');
  });

  it('path items: are renamed if another document has different ones of the same name', () => {
    const registry = new ApiRegistry();
    registry.put('a', hooks('object', '/a'));
    const { document } = registry.put('b', hooks('array', '/b'));
    assert.deepEqual(Object.keys(document.components?.pathItems ?? {}).sort(), [
      'Alias',
      'Hook',
      'b.Alias',
      'b.Hook',
    ]);
    assert.equal(JSON.stringify(document.webhooks?.['new/b']), '{"$ref":"#/components/pathItems/b.Alias"}');
    const callbacks = document.paths?.['/b']?.get?.callbacks;
    assert.match(JSON.stringify(callbacks), /"#\/components\/pathItems\/b.Hook"/);
  });
});
