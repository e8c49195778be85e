/** Tests that numbers of a document keep all digits when served and when used as defaults. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { canonical, type Json } from '../../../src/contract/json.ts';
import { parseExact } from '../../../src/core/json/exact-json.ts';
import { DocumentRenderer } from '../../../src/gateway/pages/openapi-document.ts';
import { ApiRegistry, putDocument } from '../../../src/openapi/index.ts';
import { ownServer } from '../../helpers/gateway/hosts.ts';
import { FakeRequester } from '../../helpers/gateway/requester.ts';
import fc, { runs } from '../../helpers/property.ts';

const digits = (min: number, max: number) => fc.stringMatching(new RegExp(`^[0-9]{${min},${max}}$`));
/** Text of any JSON number (RFC 8259, section 6). */
const number = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(
      fc.constant('0'),
      fc.tuple(fc.integer({ min: 1, max: 9 }), digits(0, 25)).map(([a, b]) => `${a}${b}`),
    ),
    fc.oneof(
      fc.constant(''),
      digits(1, 25).map((text) => `.${text}`),
    ),
    fc.oneof(
      fc.constant(''),
      fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-'), fc.nat(400)).map(([e, n]) => `${e}${n}`),
    ),
  )
  .map((parts) => parts.join(''));

const text = (value: string): string =>
  `{"openapi":"3.1.0","paths":{"/a":{"get":{"operationId":"a","parameters":[{"name":"q","in":"query","schema":{"default":${value},"examples":[${value}]}}]}}}}`;

test('served document: keeps any JSON number, in JSON and in YAML', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'numbers-'));
  context.after(() => rmSync(folder, { recursive: true }));
  fc.assert(
    fc.property(number, fc.constantFrom('json', 'yaml'), (value, format) => {
      const file = join(folder, `api.${format}`);
      writeFileSync(file, format === 'json' ? text(value) : `# YAML\n${text(value).replaceAll('":', '": ')}`);
      const { snapshot } = putDocument(new ApiRegistry(), file);
      const renderer = new DocumentRenderer(snapshot, undefined);
      const json = parseExact(renderer.render('json', '').body.toString()) as typeof snapshot.document;
      const schema = json.paths?.['/a']?.get?.parameters?.[0] as unknown as { schema: Record<string, Json> };
      const wanted = canonical(parseExact(value) as Json);
      assert.equal(canonical(schema.schema['default'] ?? null), wanted, value);
      assert.equal(canonical((schema.schema['examples'] as Json[])[0] ?? null), wanted, value);
    }),
    { numRuns: runs(300) },
  );
});

test('served document: numbers beyond 2^53 are served in both formats, validated and used as defaults', async (context) => {
  const api = new ApiRegistry();
  const folder = mkdtempSync(join(tmpdir(), 'numbers-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'api.yaml');
  writeFileSync(
    file,
    `openapi: 3.0.3
info: { title: x, version: '1' }
paths:
  /a:
    get:
      operationId: a
      parameters:
        - name: q
          in: query
          schema: { type: integer, minimum: -9223372036854775808, maximum: +9223372036854775807, default: 9007199254740993 }
      responses: { 200: { description: OK } }
`,
  );
  putDocument(api, file);
  const requester = new FakeRequester();
  const { url } = await ownServer(context, { requester, api });
  const get = async (path: string): Promise<string> =>
    (await fetch(url + path, { headers: { connection: 'close' } })).text();
  const json = await get('/openapi.json');
  for (const part of [
    '"minimum":-9223372036854775808',
    '"maximum":9223372036854775807',
    '"default":9007199254740993',
  ]) {
    assert.ok(json.includes(part), part);
  }
  const yaml = await get('/openapi.yaml');
  assert.match(yaml, /default: 9007199254740993\n/);
  await get('/a');
  assert.equal(requester.text, '{"q":9007199254740993}');
});
