import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { ContractError } from '../../../../src/contract/errors.ts';
import {
  ApiRegistry,
  loadDocument,
  putDocument,
  SchemaCompiler,
  watchDocuments,
} from '../../../../src/openapi/index.ts';
import { allowed } from '../../../helpers/patience.ts';

const root = mkdtempSync(join(tmpdir(), 'openapi-'));
after(() => rmSync(root, { recursive: true }));
let folders = 0;

/** Writes files to a new folder and returns its path. */
function folder(files: Record<string, string>): string {
  const path = join(root, String(++folders));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
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

const PATHS = `openapi: 3.1.0
info: { title: Pets, version: '1' }
paths:
  /pets/{id}:
    get:
      operationId: getPet
`;

describe('loadDocument', () => {
  it('loadDocument: reads YAML and JSON', () => {
    const path = folder({
      'a.yaml': PATHS,
      'a.json': '{"openapi":"3.0.3","paths":{"/b":{"get":{"operationId":"b"}}}}',
    });
    const registry = new ApiRegistry();
    putDocument(registry, join(path, 'a.yaml'));
    const { snapshot } = putDocument(registry, join(path, 'a.json'), { name: 'json', prefix: '/v2' });
    assert.deepEqual(
      snapshot.operations.map(({ path: at, source }) => [at, source]),
      [
        ['/pets/{id}', join(path, 'a.yaml')],
        ['/v2/b', 'json'],
      ],
    );
  });

  for (const [what, text, line, reason] of [
    ['YAML', 'openapi: 3.1.0\npaths:\n  /a:\n   get: [\n', 5, /is not valid YAML/],
    [
      'YAML with a key twice',
      'openapi: 3.1.0\npaths: {}\npaths: {}\n',
      3,
      /is not valid YAML: Map keys must be unique/,
    ],
    ['JSON', '{\n  "openapi": "3.1.0",\n  "paths": {,}\n}', 3, /is not valid JSON/],
    ['JSON cut off', '{\n  "openapi": "3.1.0",\n', 3, /is not valid JSON/],
    [
      'an operation',
      `${PATHS}      parameters:\n        - name: a\n          in: nowhere\n`,
      5,
      /must be in path/,
    ],
    [
      'a schema',
      `${PATHS}      parameters:\n        - name: a\n          in: query\n          schema:\n            type: text\n`,
      11,
      /type must be/,
    ],
    [
      'a pattern',
      `${PATHS}      parameters:\n        - name: a\n          in: query\n          schema: { pattern: '(' }\n`,
      10,
      /pattern is not a valid regular expression/,
    ],
    ['the version', 'openapi: 4.0.0\npaths: {}\n', 1, /"4.0.0" is not supported/],
    ['a document of another kind', 'swagger: "2.0"\n', 1, /Swagger 2.0 is not supported/],
    ['a reference', `${PATHS}      requestBody:\n        $ref: '#/nothing'\n`, 7, /has no target/],
    [
      'a reference to a file',
      `${PATHS}      requestBody:\n        $ref: 'no.yaml'\n`,
      7,
      /points to a file that does not exist/,
    ],
    [
      'a reference to the network',
      `${PATHS}      requestBody:\n        $ref: 'https://a.example/b.yaml'\n`,
      7,
      /points to the network/,
    ],
    [
      'a reference out of the folder',
      `${PATHS}      requestBody:\n        $ref: '../../../../../../etc/passwd'\n`,
      7,
      /points outside the folder|does not exist/,
    ],
  ] as const) {
    it(`loadDocument: reports file, line and reason when ${what} is broken`, () => {
      const file = join(folder({ 'api.yaml': text }), 'api.yaml');
      const error = rejection(() => putDocument(new ApiRegistry(), file));
      assert.equal(error.location.source, file);
      assert.match(error.message, reason);
      assert.equal(error.location.line, line, error.message);
      assert.ok(error.message.startsWith(`${file}:${line}:`), error.message);
    });
  }

  it('loadDocument: follows references to other files, including cycles', () => {
    const path = folder({
      'api.yaml': `${PATHS}      parameters:
        - $ref: parts/parameters.yaml#/Id
      responses:
        '200':
          description: OK
          content:
            application/json:
              schema:
                $ref: 'parts/Pet%20file.json'
`,
      'parts/parameters.yaml': `Id: { name: id, in: path, required: true, schema: { $ref: '#/Number' } }\nNumber: { type: integer }\n`,
      'parts/Pet file.json':
        '{"type":"object","properties":{"friend":{"$ref":"#"},"home":{"$ref":"../api.yaml#/info/title"},"other":{"$ref":"../homes.yml#/definitions/Home"}},"example":{"$ref":"left/alone.yaml"}}',
      'homes.yml': `definitions:\n  Home:\n    type: object\n    properties:\n      pet: { $ref: 'parts/Pet file.json' }\n      default: { $ref: '#/definitions/Home' }\n`,
    });
    const bad = rejection(() => putDocument(new ApiRegistry(), join(path, 'api.yaml')));
    assert.match(bad.message, /api.yaml:2:9: at .\/info\/title: the schema must be an object/);
    writeFileSync(
      join(path, 'parts/Pet file.json'),
      '{"type":"object","properties":{"friend":{"$ref":"#"},"other":{"$ref":"../homes.yml#/definitions/Home"}},"example":{"$ref":"left/alone.yaml"}}',
    );
    const { snapshot, files } = putDocument(new ApiRegistry(), join(path, 'api.yaml'));
    assert.deepEqual(
      files.map((file) => file.slice(path.length + 1)),
      ['api.yaml', 'parts/parameters.yaml', 'parts/Pet file.json', 'homes.yml'],
    );
    const names = Object.keys(snapshot.document.components?.schemas ?? {}).filter(
      (name) => name !== 'ProblemDetails',
    );
    assert.deepEqual(names.sort(), ['Home', 'Number', 'Pet_file']);
    const [operation] = snapshot.operations;
    const reply = new SchemaCompiler(snapshot).compile(operation?.replies[0]?.pointer ?? '');
    assert.equal(reply({ friend: { friend: {} }, other: { pet: {}, default: { pet: {} } } }), true);
    assert.equal(reply({ other: { pet: { friend: 5 } } }), false);
    assert.ok(!JSON.stringify(snapshot.document).includes('x-files'));
  });

  it('loadDocument: names a broken file that the document refers to', () => {
    const path = folder({
      'api.yaml': `${PATHS}      parameters:\n        - $ref: more.yaml#/Id\n`,
      'more.yaml': '\n\nId:\n  name: id\n  in: path\n  schema:\n    minLength: -1\n',
    });
    const error = rejection(() => putDocument(new ApiRegistry(), join(path, 'api.yaml')));
    assert.equal(error.location.source, join(path, 'more.yaml'));
    assert.equal(error.location.line, 7);
  });

  it('loadDocument: rejects links that leave the folder of the document', () => {
    const outside = folder({ 'secret.yaml': 'Id: { name: id, in: path }\n' });
    const path = folder({ 'api.yaml': `${PATHS}      parameters:\n        - $ref: inside.yaml#/Id\n` });
    symlinkSync(join(outside, 'secret.yaml'), join(path, 'inside.yaml'));
    assert.match(rejection(() => loadDocument(join(path, 'api.yaml'))).message, /points outside the folder/);
  });

  it('loadDocument: rejects YAML whose aliases expand too far', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let n = 1; n < 12; n += 1)
      lines.push(
        `a${n}: &a${n} [${Array(10)
          .fill(`*a${n - 1}`)
          .join(', ')}]`,
      );
    const file = join(folder({ 'bomb.yaml': `${lines.join('\n')}\n` }), 'bomb.yaml');
    const start = performance.now();
    assert.match(rejection(() => loadDocument(file)).message, /bomb.yaml.*(alias|larger)/);
    assert.ok(performance.now() - start < allowed(2000));
  });

  it('loadDocument: names a missing file', () => {
    assert.match(rejection(() => loadDocument(join(root, 'none.yaml'))).message, /none.yaml: cannot be read/);
  });
});

describe('watchDocuments', () => {
  /** Watches a file and returns a function that resolves with its next event. */
  function watching(context: TestContext, registry: ApiRegistry, ...files: string[]) {
    const events: string[] = [];
    let wake: (() => void) | undefined;
    const note = (text: string): void => {
      events.push(text);
      wake?.();
    };
    const watcher = watchDocuments(
      registry,
      files.map((file) => ({ file })),
      { interval: 20, onChange: (file) => note(`changed ${file}`), onError: (error) => note(error.message) },
    );
    context.after(() => watcher.close());
    return async (): Promise<string> => {
      if (events.length === 0) {
        await new Promise<void>((resolve) => {
          // The timer of the watcher does not keep the process alive, so this one does.
          const alive = setInterval(() => undefined, 1000);
          wake = () => {
            clearInterval(alive);
            resolve();
          };
        });
      }
      return events.shift() ?? '';
    };
  }

  it('watchDocuments: loads a change, rejects a broken one with its line, and loads the corrected one', async (context) => {
    const file = join(folder({ 'api.yaml': PATHS }), 'api.yaml');
    const registry = new ApiRegistry();
    putDocument(registry, file);
    const next = watching(context, registry, file);
    writeFileSync(file, PATHS.replace('getPet', 'readPet'));
    assert.equal(await next(), `changed ${file}`);
    assert.equal(registry.snapshot().operations[0]?.eventName, 'readPet');
    const before = registry.snapshot();
    writeFileSync(file, `${PATHS}   broken`);
    assert.match(await next(), /api.yaml:\d+:\d+: is not valid YAML/);
    assert.equal(registry.snapshot(), before);
    writeFileSync(`${file}.new`, PATHS.replace('/pets', '/animals'));
    renameSync(`${file}.new`, file);
    assert.equal(await next(), `changed ${file}`);
    assert.equal(registry.snapshot().operations[0]?.path, '/animals/{id}');
  });

  it('watchDocuments: watches the files that a document refers to', async (context) => {
    const path = folder({
      'api.yaml': `${PATHS}      parameters:\n        - $ref: more.yaml#/Id\n`,
      'more.yaml': 'Id: { name: id, in: path, schema: { type: integer } }\n',
    });
    const registry = new ApiRegistry();
    putDocument(registry, join(path, 'api.yaml'));
    const next = watching(context, registry, join(path, 'api.yaml'));
    writeFileSync(join(path, 'more.yaml'), 'Id: { name: id, in: path, schema: { type: boolean } }\n');
    await next();
    assert.deepEqual(registry.snapshot().operations[0]?.parameters[0]?.schema, { type: 'boolean' });
  });

  it('watchDocuments: loads a document once a missing or incomplete file that it refers to is complete', async (context) => {
    const path = folder({ 'api.yaml': PATHS });
    const [api, more] = [join(path, 'api.yaml'), join(path, 'more.yaml')];
    const registry = new ApiRegistry();
    putDocument(registry, api);
    const next = watching(context, registry, api);
    writeFileSync(api, `${PATHS}      parameters:\n        - $ref: more.yaml#/Id\n`);
    assert.match(await next(), /api.yaml:\d+:\d+: .*points to a file that does not exist/);
    writeFileSync(more, 'Id: { name: id, in: path,');
    assert.match(await next(), /more.yaml:\d+:\d+: is not valid YAML/);
    writeFileSync(more, 'Id: { name: id, in: path, schema: { type: integer } }\n');
    assert.equal(await next(), `changed ${api}`);
    assert.deepEqual(registry.snapshot().operations[0]?.parameters[0]?.schema, { type: 'integer' });
  });

  it('watchDocuments: keeps a document whose file was deleted, and reports that', async (context) => {
    const file = join(folder({ 'api.yaml': PATHS }), 'api.yaml');
    const registry = new ApiRegistry();
    putDocument(registry, file);
    const next = watching(context, registry, file);
    rmSync(file);
    assert.match(await next(), /cannot be read/);
    assert.equal(registry.snapshot().operations.length, 1);
    writeFileSync(file, PATHS);
    assert.equal(await next(), `changed ${file}`);
  });

  it('watchDocuments: retries a conflicting document when the other one changes', async (context) => {
    const path = folder({ 'a.yaml': PATHS, 'b.yaml': 'paths: {}' });
    const [a, b] = [join(path, 'a.yaml'), join(path, 'b.yaml')];
    const registry = new ApiRegistry();
    putDocument(registry, a);
    putDocument(registry, b);
    const next = watching(context, registry, a, b);
    writeFileSync(b, PATHS);
    assert.match(await next(), /b.yaml.*a.yaml already serves GET/);
    writeFileSync(a, 'paths: {}');
    assert.equal(await next(), `changed ${a}`);
    assert.equal(await next(), `changed ${b}`);
    assert.equal(registry.snapshot().operations[0]?.source, b);
  });
});
