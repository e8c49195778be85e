/** Tests documents of several files: where references are followed, and where they are data. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ContractError } from '../../../../src/contract/errors.ts';
import { at, type Json } from '../../../../src/contract/json.ts';
import { ApiRegistry, putDocument } from '../../../../src/openapi/index.ts';

const root = mkdtempSync(join(tmpdir(), 'loader-'));
after(() => rmSync(root, { recursive: true }));
let folders = 0;

/** Writes files and loads the first of them. */
function load(files: Record<string, string>) {
  const folder = join(root, String(++folders));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const warnings: ContractError[] = [];
  const { snapshot, files: read } = putDocument(
    new ApiRegistry(),
    join(folder, Object.keys(files)[0] ?? ''),
    {
      name: 'doc',
      onWarning: (warning) => warnings.push(warning),
    },
  );
  const document = snapshot.document as unknown as Json;
  const names = read.map((path) => path.slice(folder.length + 1));
  return { snapshot, document, files: names, warnings: warnings.map(({ message }) => message) };
}

/** Returns the lines of the error that rejects the document. */
function problemsOf(files: Record<string, string>): string[] {
  try {
    load(files);
  } catch (error) {
    assert.ok(error instanceof ContractError, String(error));
    const folder = join(root, String(folders), '/');
    return error.message.split('\n').map((line) => line.replaceAll(folder, ''));
  }
  throw new assert.AssertionError({ message: 'the document was taken' });
}

const operation = (more: string, version = '3.1.0') => `openapi: ${version}
info: { title: Pets, version: '1' }
paths:
  /a:
    post:
      operationId: a
${more.replace(/^/gm, '      ')}
`;
const OPERATION = '/paths/~1a/post';

/** Returns the target of the reference at a pointer. */
function targetOf(document: Json, place: string): Json {
  const ref = at(document, `${place}/$ref`);
  assert.ok(typeof ref === 'string', place);
  return at(document, decodeURIComponent(ref.slice(1))) ?? null;
}

/** Asserts that each reference of a value has a target in the document. */
function assertWhole(document: Json): void {
  for (const [, ref = ''] of JSON.stringify(document).matchAll(/"\$ref":"#([^"]*)"/g)) {
    assert.notEqual(at(document, decodeURIComponent(ref)), undefined, ref);
  }
}

describe('references of a document', () => {
  for (const version of ['3.0.3', '3.1.0']) {
    it(`references: reach examples in other files, which may refer to further files (${version})`, () => {
      const { document } = load({
        'api.yaml': operation(
          `requestBody: { content: { application/json: { examples: { tom: { $ref: examples/tom.yaml } } } } }
parameters:
  - { name: q, in: query, schema: {}, examples: { one: { $ref: 'examples/all.yaml#/felix' } } }`,
          version,
        ),
        'examples/tom.yaml': '$ref: all.yaml#/tom',
        'examples/all.yaml':
          'felix: { value: { name: Felix, $ref: data.yaml } }\ntom: { value: { name: Tom } }',
      });
      assertWhole(document);
      const text = JSON.stringify(document);
      assert.match(text, /"value":{"name":"Tom"}/);
      // The content of an example is data.
      assert.match(text, /"value":{"name":"Felix","\$ref":"data.yaml"}/);
    });
  }

  it('references: in another file resolve within that file', () => {
    const { document } = load({
      'api.yaml': `openapi: 3.0.3
paths: { /a: { $ref: paths.yaml#/a } }
components: { examples: { Tom: { value: WRONG } } }`,
      'paths.yaml': `a:
  get:
    responses: { 200: { description: OK, content: { application/json: { examples: { tom: { $ref: '#/components/examples/Tom' } } } } } }
components: { examples: { Tom: { value: RIGHT } } }`,
    });
    const tom = targetOf(document, '/paths/~1a/get/responses/200/content/application~1json/examples/tom');
    assert.equal(at(tom, '/value'), 'RIGHT');
  });

  it('references: are data in extensions, descriptions, single examples, defaults and enums', () => {
    const more = `description: { $ref: ./pages/operation.md }
x-codeSamples: [{ lang: Go, source: { $ref: ./echo.go } }]
x-errors: [{ $ref: 'https://docs.example.com/errors#late' }, { $ref: '#/x-errors/early' }]
requestBody:
  content:
    application/json:
      example: { $ref: ./example.yaml }
      schema:
        description: { $ref: ./pages/schema.md }
        default: { $ref: nowhere.yaml }
        enum: [{ $ref: nowhere.yaml }, { $ref: '#/nowhere' }]
        const: { $ref: '#/nowhere' }
        example: { $ref: ./example.yaml }
        x-more: { $ref: ./nothing.yaml }`;
    const { document, files } = load({
      'api.yaml': operation(more),
      'echo.go': 'package main\n\nfunc main() {\n\tx := map[string]int{"a": 1}\n}\n',
      'pages/operation.md': '# Welcome\n\nAll about it: `x`.\n\n- one\n',
    });
    assert.deepEqual(files, ['api.yaml']);
    assert.deepEqual(at(document, `${OPERATION}/x-codeSamples/0/source`), { $ref: './echo.go' });
    assert.deepEqual(at(document, `${OPERATION}/description`), { $ref: './pages/operation.md' });
    const media = at(document, `${OPERATION}/requestBody/content/application~1json`) ?? null;
    assert.deepEqual(at(media, '/example'), { $ref: './example.yaml' });
    assert.deepEqual(at(media, '/schema/enum/1'), { $ref: '#/nowhere' });
    assert.deepEqual(at(media, '/schema/x-more'), { $ref: './nothing.yaml' });
  });

  it('references: are resolved for any names of the enclosing members', () => {
    const names = ['mapping', 'example', 'examples', 'default', 'enum', 'value', '$ref', 'x-real', 'const'];
    const { document, files } = load({
      'api.yaml': operation(
        `requestBody: { content: { application/json: { schema: { type: object, properties: { ${names
          .map((name) => `${name}: { $ref: types.yaml#/Text }`)
          .join(', ')}, other: { type: string, description: 'See a.b, or a/b.' } } } } } }`,
      ),
      'types.yaml': 'Text: { type: string, maxLength: 3 }',
    });
    assert.deepEqual(files, ['api.yaml', 'types.yaml']);
    assertWhole(document);
    const properties = `${OPERATION}/requestBody/content/application~1json/schema/properties`;
    for (const name of names) {
      assert.deepEqual(targetOf(document, `${properties}/${name}`), { type: 'string', maxLength: 3 }, name);
    }
  });

  it('references: of a discriminator are files or component names', () => {
    const { document } = load({
      'api.yaml': `${operation(`requestBody: { content: { application/json: { schema: { oneOf: [{ $ref: '#/components/schemas/Dog.v1' }, { $ref: cat.yaml }], discriminator: { propertyName: kind, mapping: { dog: Dog.v1, cat: cat.yaml, cow: Cow.v2, big: '#/components/schemas/Dog.v1' } } } } } }`)}components: { schemas: { Dog.v1: { type: object } } }`,
      'cat.yaml': 'type: object\nrequired: [meow]',
    });
    const mapping = at(
      document,
      `${OPERATION}/requestBody/content/application~1json/schema/discriminator/mapping`,
    );
    assert.deepEqual(mapping, {
      dog: '#/components/schemas/Dog.v1',
      cat: '#/components/schemas/cat',
      cow: 'Cow.v2',
      big: '#/components/schemas/Dog.v1',
    });
  });

  it('references: pass through other references, and reach whole files with #/ and anchors of other files', () => {
    const { document } = load({
      'api.yaml': `${operation(`requestBody: { content: { application/json: { schema: { properties: { a: { $ref: '#/components/schemas/Pet/properties/id' }, b: { $ref: 'pet.yaml#/' }, c: { $ref: 'pet.yaml#number' } } } } } }`)}components: { schemas: { Pet: { $ref: pet.yaml } } }`,
      'pet.yaml': 'type: object\nproperties: { id: { $anchor: number, type: integer } }',
    });
    assertWhole(document);
    const properties = `${OPERATION}/requestBody/content/application~1json/schema/properties`;
    const types = ['a', 'b', 'c'].map((name) => at(targetOf(document, `${properties}/${name}`), '/type'));
    assert.deepEqual(types, ['integer', 'object', 'integer']);
  });

  it('references: may reach thousands of files', () => {
    const count = 1500;
    const files: Record<string, string> = {
      'api.yaml': operation(
        `requestBody: { content: { application/json: { schema: { allOf: [${Array.from({ length: count }, (_, n) => `{ $ref: 's/${n}.yaml' }`).join(', ')}] } } } }`,
      ),
    };
    for (let n = 0; n < count; n += 1) files[`s/${n}.yaml`] = `title: s${n}\n`;
    assert.equal(load(files).files.length, count + 1);
  });
});

describe('text that YAML parses as another type', () => {
  it('text: is served as written in the file', () => {
    const { document } = load({
      'api.yaml': `openapi: 3.1
info: { title: 2024, version: 1.10, description: true }
paths:
  /a:
    get:
      operationId: 1e3
      tags: [1.0, on]
      summary: 0x10
      responses: { 200: { description: 404 } }
`,
    });
    assert.deepEqual(at(document, '/info'), { title: '2024', version: '1.10', description: 'true' });
    assert.deepEqual(at(document, '/paths/~1a/get/tags'), ['1.0', 'on']);
    assert.equal(at(document, '/paths/~1a/get/operationId'), '1e3');
    assert.equal(at(document, '/paths/~1a/get/responses/200/description'), '404');
    const json = load({ 'api.json': '{"openapi":"3.0.3","info":{"title":1.50,"version":2.0},"paths":{}}' });
    assert.deepEqual(at(json.document, '/info'), { title: '1.50', version: '2.0' });
  });

  it('text: may be in flow style, with or without quotes', () => {
    for (const text of [
      `{openapi: 3.0.3, info: {title: x, version: "1"}, paths: {/a: {get: {operationId: a}}}}`,
      `{"openapi": "3.0.3", 'info': {title: x, version: "1"}, # comment\n paths: {/a: {get: {operationId: a}}}}`,
    ]) {
      assert.equal(load({ 'api.yaml': text }).snapshot.operations[0]?.eventName, 'a');
    }
    assert.match(problemsOf({ 'api.json': '{openapi: 3.0.3}' }).join(), /^api.json:1:2: is not valid JSON/);
  });

  it('text: an unsupported version of OpenAPI is quoted as written in the file', () => {
    for (const version of ['3.10', '3.3.0', '4', '2.0']) {
      const [line = ''] = problemsOf({ 'api.yaml': `openapi: ${version}\npaths: {}\n` });
      assert.equal(line, `doc:1:1: at #/openapi: OpenAPI "${version}" is not supported; use 3.0, 3.1 or 3.2`);
    }
  });
});

describe('problems of a document', () => {
  it('problems: are all reported once, with file, line and pointer', () => {
    const lines = problemsOf({
      'api.yaml':
        operation(`parameters:
  - { name: a, in: nowhere }
  - { name: b, in: query, schema: { type: text, minLength: -1, pattern: '(' } }
  - { $ref: '#/nothing' }
  - { $ref: more.yaml#/Limit }
  - { $ref: broken.yaml#/A }
  - { $ref: broken.yaml#/B }
  - { $ref: gone.yaml }
requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/A' } } } }`) +
        `    get:
      x-timeout-ms: soon
  /b: { get: { parameters: [{ $ref: more.yaml#/Limit }] } }
  /c: { get: { parameters: [{ name: x, in: query, style: odd }] } }
components:
  schemas:
    A: { allOf: [{ $ref: '#/components/schemas/B' }] }
    B: { allOf: [{ $ref: '#/components/schemas/A' }] }
`,
      'more.yaml': 'Limit:\n  name: limit\n  in: query\n  schema:\n    maximum: many\n',
      'broken.yaml': 'A: [',
    });
    assert.deepEqual(
      lines.map((line) => line.replace(/: is not valid YAML.*/, ': is not valid YAML')),
      [
        'broken.yaml:1:5: is not valid YAML',
        'doc:14:11: at #/paths/~1a/post/parameters/6: $ref "gone.yaml" points to a file that does not exist',
        'doc:9:43: at #/paths/~1a/post/parameters/1/schema/type: type must be one or several of null, boolean, object, array, number, string, integer',
        'doc:9:55: at #/paths/~1a/post/parameters/1/schema/minLength: minLength must be an integer of at least 0',
        'doc:9:70: at #/paths/~1a/post/parameters/1/schema/pattern: the pattern is not a valid regular expression: Invalid regular expression: /(/: Unterminated group',
        'doc:10:11: at #/paths/~1a/post/parameters/2: $ref "#/nothing" has no target',
        'more.yaml:5:5: at #/Limit/schema/maximum: maximum must be a number',
        'doc:22:5: at #/components/schemas/A: refers to itself without descending into the value',
        'doc:16:5: GET /a: event GET /a: at #/paths/~1a/get: x-timeout-ms must be an integer from 1 to 2147483647, in milliseconds, not "soon"',
        'doc:19:9: GET /c: event GET /c: at #/paths/~1c/get: the parameter x has the style "odd"; allowed: form, spaceDelimited, pipeDelimited, deepObject',
      ],
    );
  });

  it('problems: are listed up to a limit', () => {
    const parameters = Array.from(
      { length: 300 },
      (_, n) => `{ name: p${n}, in: query, schema: { type: text } }`,
    );
    const lines = problemsOf({ 'api.yaml': operation(`parameters: [${parameters.join(', ')}]`) });
    assert.equal(lines.length, 101);
    assert.match(lines.at(-1) ?? '', /only the first 100 problems are listed/);
  });
});

describe('the size of a document', () => {
  const files = {
    'api.yaml': operation('parameters: [{ $ref: more.yaml }]'),
    'more.yaml': `# ${'x'.repeat(5000)}\nname: q\nin: query\n`,
  };

  it('size of a document: is limited for all its files together', () => {
    const folder = join(root, 'large');
    mkdirSync(folder);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const put = (maxBytes: number) => putDocument(new ApiRegistry(), join(folder, 'api.yaml'), { maxBytes });
    assert.equal(put(6000).files.length, 2);
    assert.throws(() => put(5050), /more.yaml: is larger than the \d+ bytes that remain of the size limit$/);
    assert.throws(() => put(50), /api.yaml: is larger than the 50 bytes/);
  });
});

describe('warnings of a document', () => {
  it('warnings: name operations with unsupported bodies, and paths that no request can match', () => {
    const { document, warnings } = load({
      'api.yaml': `${operation(`requestBody: { content: { application/xml: &object { schema: { type: object } }, application/pdf: *object } }`)}  /b: { post: { operationId: b, requestBody: { content: { application/xml: *object, application/*: *object } } } }
  /c: { post: { operationId: c, requestBody: { $ref: '#/components/requestBodies/Text' } } }
  '/#X-Amz-Target=A.List': { post: { operationId: list } }
  /d: { post: { operationId: d, requestBody: { content: { application/pdf: {}, text/plain: { schema: { type: string } } } } } }
components: { requestBodies: { Text: { content: { text/plain: *object } } } }
`,
    });
    assert.deepEqual(warnings, [
      'doc:5:5: POST /a: event a: at #/paths/~1a/post: the gateway reads no body of application/xml, application/pdf: it cannot turn one into an object, ' +
        'and every request is answered 415; add application/json, another JSON type or a form',
      'doc:9:9: POST /c: event c: at #/paths/~1c/post: the gateway reads no body of text/plain: it cannot turn one into an object, and every request is ' +
        'answered 415; add application/json, another JSON type or a form',
      'doc:10:3: /#X-Amz-Target=A.List: at #/paths/~1#X-Amz-Target=A.List: no request can have a path with #; the path is skipped',
    ]);
    assert.deepEqual(Object.keys(at(document, '/paths') as object), ['/a', '/b', '/c', '/d']);
  });
});
