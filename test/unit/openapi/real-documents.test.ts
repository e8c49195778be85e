// test:all: 20 s; gateway-parameters.test.ts represents it
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { at, type Json } from '../../../src/contract/json.ts';
import { ApiRegistry, type ApiSnapshot, putDocument, SchemaCompiler } from '../../../src/openapi/index.ts';
import { allowed } from '../../helpers/patience.ts';

const modules = fileURLToPath(new URL('../../../node_modules/', import.meta.url));

function* documents(folder: string): Iterable<string> {
  for (const entry of readdirSync(join(modules, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* documents(path);
    else if (/\.(json|ya?ml)$/.test(entry.name)) yield path;
  }
}

/** Compiles every schema of every operation and returns their number. */
function compileAll(snapshot: ApiSnapshot): number {
  const compiler = new SchemaCompiler(snapshot);
  let count = 0;
  for (const { parameters, bodies, replies } of snapshot.operations) {
    for (const { pointer, schema } of [...parameters, ...bodies, ...replies]) {
      assert.deepEqual(at(snapshot.document as unknown as Json, pointer), schema, pointer);
      compiler.compile(pointer)(null);
      count += 1;
    }
  }
  return count;
}

describe('real documents', () => {
  const real = [
    ...documents('@readme/oas-examples/3.0'),
    ...documents('@readme/oas-examples/3.1'),
    '@figma/rest-api-spec/openapi/openapi.yaml',
    relative(modules, fileURLToPath(new URL('dist/openapi.json', import.meta.resolve('@directus/specs')))),
  ];

  it('real documents: include many files', () => assert.ok(real.length > 100, String(real.length)));

  for (const path of real) {
    it(path, () => {
      const { snapshot } = putDocument(new ApiRegistry(), join(modules, path), { name: 'real' });
      compileAll(snapshot);
      for (const { eventName, path: template } of snapshot.operations) {
        assert.notEqual(eventName, '');
        assert.match(template, /^\//);
      }
      // Every reference has a target.
      const text = JSON.stringify(snapshot.document);
      for (const [, pointer] of text.matchAll(/"\$ref":"#([^"]+)"/g)) {
        if (pointer?.includes('/example') === true) continue; // data, not a reference
        assert.notEqual(at(snapshot.document as unknown as Json, pointer ?? ''), undefined, pointer);
      }
    });
  }

  it('real documents: load together, each with a prefix', () => {
    const registry = new ApiRegistry();
    const some = real.filter((path) => /petstore|train-travel|figma|directus|star-trek/.test(path));
    for (const [index, path] of some.entries()) {
      putDocument(registry, join(modules, path), {
        name: `api${index}`,
        prefix: `/${index}`,
        unnamed: 'skip',
      });
    }
    assert.equal(registry.names().length, some.length);
  });
});

describe('a document of 1,000 operations', () => {
  const paths: Record<string, object> = {};
  for (let n = 0; n < 250; n += 1) {
    const schema = { $ref: `#/components/schemas/Thing${n}` };
    const content = { 'application/json': { schema } };
    const reply = { responses: { 200: { description: 'OK', content } } };
    paths[`/things${n}`] = {
      get: {
        'x-event-name': `things${n}.list`,
        parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer' } }],
        ...reply,
      },
      post: { 'x-event-name': `things${n}.create`, requestBody: { required: true, content }, ...reply },
    };
    paths[`/things${n}/{id}`] = {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }],
      get: { 'x-event-name': `things${n}.get`, ...reply },
      put: { 'x-event-name': `things${n}.replace`, requestBody: { required: true, content }, ...reply },
    };
  }
  const schemas = Object.fromEntries(
    Array.from({ length: 250 }, (_, n) => [
      `Thing${n}`,
      {
        type: 'object',
        required: ['title'],
        properties: Object.fromEntries(
          ['title', 'state', 'owner', 'note', 'kind'].map((name) => [
            name,
            { type: 'string', maxLength: 100, description: `The ${name} of the thing.` },
          ]),
        ),
      },
    ]),
  );
  const document = {
    openapi: '3.1.0',
    info: { title: 'Many', version: '1' },
    paths,
    components: { schemas },
  };

  for (const [format, text] of [
    ['json', JSON.stringify(document)],
    ['yaml', stringify(document)],
  ] as const) {
    it(`a document of 1,000 operations: loads from ${format} in under 2 s`, () => {
      const folder = mkdtempSync(join(tmpdir(), 'openapi-'));
      const file = join(folder, `many.${format}`);
      writeFileSync(file, text);
      const start = process.cpuUsage();
      const { snapshot } = putDocument(new ApiRegistry(), file);
      // CPU time depends on the processor, but hardly on other load.
      const { user, system } = process.cpuUsage(start);
      const took = (user + system) / 1000;
      rmSync(folder, { recursive: true });
      assert.equal(snapshot.operations.length, 1000);
      assert.ok(took < allowed(2000), `${took} ms`);
      console.log(`${format}: ${Math.round(took)} ms for ${Math.round(text.length / 1024)} KiB`);
    });
  }
});
