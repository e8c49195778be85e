/** `zeromq-gateway mock`: responses from examples and schemas, selected by the caller. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCommand, startNode, urlIn } from '../../helpers/command.ts';
import { Scope } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

const MODULES = fileURLToPath(new URL('../../../node_modules/', import.meta.url));

const DOCUMENT = `
openapi: 3.0.3
info: { title: Shop, version: '1' }
security: [{ key: [] }]
components:
  securitySchemes: { key: { type: apiKey, in: header, name: X-Key } }
  examples:
    shared: { value: { id: 5, name: shared } }
  schemas:
    Item:
      type: object
      required: [id, name]
      properties:
        id: { type: integer, minimum: 1, maximum: 99 }
        name: { type: string, minLength: 2, maxLength: 12 }
        kind: { type: string, enum: [bolt, nut] }
        secret: { type: string, writeOnly: true }
        left: { type: integer, nullable: true, example: 12 }
paths:
  /items/{id}:
    get:
      operationId: items.get
      parameters:
        - { in: path, name: id, required: true, schema: { type: integer } }
      responses:
        '200':
          description: The item
          headers: { X-Total: { schema: { type: integer, minimum: 3, maximum: 3 } } }
          content:
            application/json:
              schema: { $ref: '#/components/schemas/Item' }
              examples:
                bolt: { value: { id: 1, name: bolt } }
                nut: { value: { id: 2, name: nut } }
                shared: { $ref: '#/components/examples/shared' }
            text/plain: { schema: { type: string }, example: a bolt }
        '404': { description: None, content: { application/json: { example: { reason: none } } } }
        5XX: { description: Broken, content: { application/json: { schema: { type: object, required: [why], properties: { why: { type: string } } } } } }
  /items:
    post:
      operationId: items.add
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Item' } } } }
      responses:
        '201': { description: The item, content: { application/json: { schema: { $ref: '#/components/schemas/Item' } } } }
    delete:
      operationId: items.clear
      responses: { '204': { description: Gone } }
`;

describe('mock', () => {
  const scope = new Scope();
  let url: string;
  before(async () => {
    const cwd = tempFolder(scope);
    writeFileSync(path.join(cwd, 'shop.yaml'), DOCUMENT);
    const { line } = await startNode(scope, ['mock', 'shop.yaml', '--port', '0', '--seed', '7'], { cwd });
    assert.match(
      line,
      /zeromq-gateway mock is ready: http:\/\/127\.0\.0\.1:\d+, docs http\S+\/docs, operations 3$/,
    );
    url = urlIn(line);
  });
  after(() => scope.close());

  const get = (headers: Record<string, string> = {}, place = '/items/1') => fetch(url + place, { headers });
  const codeOf = async (response: Response): Promise<string> =>
    ((await response.json()) as { code: string }).code;

  it('returns the first example, without credentials', async () => {
    const response = await get();
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('x-total'), '3');
    assert.equal(response.headers.get('preference-applied'), null);
    assert.deepEqual(await response.json(), { id: 1, name: 'bolt' });
  });

  it('Prefer selects an example and a status', async () => {
    const nut = await get({ prefer: 'example=nut' });
    assert.equal(nut.headers.get('preference-applied'), 'example=nut');
    assert.deepEqual(await nut.json(), { id: 2, name: 'nut' });
    assert.deepEqual(await (await get({ prefer: 'example="shared"' })).json(), { id: 5, name: 'shared' });
    const none = await get({ prefer: 'code=404' });
    assert.equal(none.status, 404);
    assert.equal(none.headers.get('preference-applied'), 'code=404');
    assert.deepEqual(await none.json(), { reason: 'none' });
    const broken = await get({ prefer: 'code=503' });
    assert.equal(broken.status, 503);
    const { why } = (await broken.json()) as { why?: string };
    assert.equal(typeof why, 'string');
  });

  it('a preference for what the document does not have is answered with 400', async () => {
    const code = await get({ prefer: 'code=418' });
    assert.equal(code.status, 400);
    assert.equal(await codeOf(code), 'NO_SUCH_RESPONSE');
    const example = await get({ prefer: 'example=screw' });
    assert.equal(example.status, 400);
    const problem = (await example.json()) as { code: string; detail: string };
    assert.equal(problem.code, 'NO_SUCH_EXAMPLE');
    assert.equal(problem.detail, 'the response 200 has no example screw; it has bolt, nut, shared');
    assert.equal((await get({ prefer: 'handling=lenient' })).status, 200);
  });

  it('makes values from the schema, the same for the same seed', async () => {
    const add = async (): Promise<Record<string, unknown>> => {
      const response = await fetch(`${url}/items`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id: 1, name: 'bolt' }),
      });
      assert.equal(response.status, 201);
      return (await response.json()) as Record<string, unknown>;
    };
    const item = await add();
    assert.deepEqual(Object.keys(item), ['id', 'name', 'kind', 'left']);
    assert.ok(Number(item['id']) >= 1 && Number(item['id']) <= 99);
    assert.ok(String(item['name']).length >= 2 && String(item['name']).length <= 12);
    assert.deepEqual([item['kind'], item['left']], ['bolt', 12]);
    assert.deepEqual(await add(), item);
  });

  it('dynamic=true makes other values each time', async () => {
    const ids = new Set<string>();
    for (let count = 0; count < 5; count += 1) ids.add(await (await get({ prefer: 'dynamic=true' })).text());
    assert.ok(ids.size > 1);
    assert.ok(![...ids].includes('{"id":1,"name":"bolt"}'));
  });

  it('selects the media type by Accept', async () => {
    const response = await get({ accept: 'text/plain' });
    assert.equal(response.headers.get('content-type'), 'text/plain');
    assert.equal(await response.text(), 'a bolt');
  });

  it('validates requests as the gateway does', async () => {
    const response = await get({}, '/items/x');
    assert.equal(response.status, 400);
    assert.equal(await codeOf(response), 'INVALID_REQUEST');
    assert.equal((await get({}, '/nowhere')).status, 404);
  });

  it('responds without a body where the document has none', async () => {
    const response = await fetch(`${url}/items`, { method: 'DELETE' });
    assert.deepEqual([response.status, await response.text()], [204, '']);
  });

  it('serves the document and Swagger UI', async () => {
    const document = (await (await get({}, '/openapi.json')).json()) as { paths: object; components: object };
    assert.deepEqual(Object.keys(document.paths), ['/items/{id}', '/items']);
    assert.ok('securitySchemes' in document.components);
    assert.equal((await get({}, '/docs/')).status, 200);
  });

  it('serves a large document', async () => {
    const file = path.join(MODULES, '@directus/specs/dist/openapi.json');
    const { line } = await startNode(scope, ['mock', file, '--port', '0', '--log-level', 'error'], {});
    const response = await fetch(`${urlIn(line)}/activity`);
    assert.equal(response.status, 200);
    assert.ok(Array.isArray(((await response.json()) as { data: unknown[] }).data));
  });

  it('names what is wrong with a document', async () => {
    const cwd = tempFolder(scope);
    writeFileSync(path.join(cwd, 'bad.yaml'), 'openapi: 3.0.3\npaths: { /a: { get: { parameters: 5 } } }\n');
    const { code, stderr } = await runCommand(scope, ['mock', 'bad.yaml'], { cwd });
    assert.equal(code, 2);
    assert.match(stderr, /file: \S*bad\.yaml/);
  });
});
