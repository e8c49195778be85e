// test:all: 10 s; gateway-parameters.test.ts represents it
/**
 * Every location, style, explode and kind of schema. The text of the Style Examples (OpenAPI 3.1.1,
 * Parameter Object) becomes the value from which it was serialised. The requests are sent directly,
 * and by swagger-client from the gateway's own document.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import SwaggerClient from 'swagger-client';
import { request } from 'undici';
import type { Gateway } from '../../src/gateway/index.ts';
import { apiOf } from '../helpers/gateway/api.ts';
import { ownServer } from '../helpers/gateway/hosts.ts';
import { FakeRequester } from '../helpers/gateway/requester.ts';
import { Scope } from '../helpers/scope.ts';

type Place = 'path' | 'query' | 'header' | 'cookie';
type Schema = Readonly<Record<string, unknown>>;

/** A value, and its text in one style. */
interface Case {
  readonly in: Place;
  readonly style?: string;
  readonly explode?: boolean;
  readonly schema?: Schema;
  readonly more?: Schema;
  /** The path segment, the query, the value of the header `color`, or the Cookie header. */
  readonly text: string;
  readonly value: unknown;
  /** Whether swagger-client serialises it differently from the specification. */
  readonly byHand?: boolean;
}

const STRING = { type: 'string' };
const LIST = { type: 'array', items: STRING };
const NUMBERS = { type: 'array', items: { type: 'integer' } };
const RGB = {
  type: 'object',
  properties: { R: { type: 'integer' }, G: { type: 'integer' }, B: { type: 'integer' } },
  additionalProperties: false,
};
const list = ['blue', 'black', 'brown'];
const rgb = { R: 100, G: 200, B: 150 };

/** Texts in one style: of an empty string, a string, a list and an object. */
function styleCases(
  place: Place,
  style: string,
  explode: boolean,
  texts: readonly [
    empty: string | undefined,
    string: string | undefined,
    list: string,
    object: string | undefined,
  ],
): Case[] {
  const common = { in: place, style, explode };
  const [empty, string, array, object] = texts;
  // swagger-client joins such lists with dots.
  const byHand = style === 'label' && !explode;
  const cases: Case[] = [{ ...common, schema: LIST, text: array, value: list, byHand }];
  if (empty !== undefined) cases.push({ ...common, schema: STRING, text: empty, value: '', byHand: true });
  if (string !== undefined) cases.push({ ...common, schema: STRING, text: string, value: 'blue' });
  if (object !== undefined) {
    // swagger-client does not serialise objects in these styles.
    const unknown = style === 'spaceDelimited' || style === 'pipeDelimited';
    cases.push({ ...common, schema: RGB, text: object, value: rgb, byHand: unknown });
  }
  return cases;
}

const flat = 'R,100,G,200,B,150';
const STYLES: readonly Case[] = [
  ...styleCases('path', 'matrix', false, [
    ';color',
    ';color=blue',
    ';color=blue,black,brown',
    `;color=${flat}`,
  ]),
  ...styleCases('path', 'matrix', true, [
    ';color',
    ';color=blue',
    ';color=blue;color=black;color=brown',
    ';R=100;G=200;B=150',
  ]),
  ...styleCases('path', 'label', false, [undefined, '.blue', '.blue,black,brown', `.${flat}`]),
  ...styleCases('path', 'label', true, [undefined, '.blue', '.blue.black.brown', '.R=100.G=200.B=150']),
  ...styleCases('path', 'simple', false, [undefined, 'blue', 'blue,black,brown', flat]),
  ...styleCases('path', 'simple', true, [undefined, 'blue', 'blue,black,brown', 'R=100,G=200,B=150']),
  ...styleCases('header', 'simple', false, ['', 'blue', 'blue,black,brown', flat]),
  ...styleCases('header', 'simple', true, ['', 'blue', 'blue,black,brown', 'R=100,G=200,B=150']),
  ...styleCases('query', 'form', false, ['color=', 'color=blue', 'color=blue,black,brown', `color=${flat}`]),
  ...styleCases('query', 'form', true, [
    'color=',
    'color=blue',
    'color=blue&color=black&color=brown',
    'R=100&G=200&B=150',
  ]),
  ...styleCases('cookie', 'form', false, ['color=', 'color=blue', 'color=blue,black,brown', `color=${flat}`]),
  ...styleCases('query', 'spaceDelimited', false, [
    undefined,
    undefined,
    'color=blue%20black%20brown',
    'color=R%20100%20G%20200%20B%20150',
  ]),
  ...styleCases('query', 'pipeDelimited', false, [
    undefined,
    undefined,
    'color=blue%7Cblack%7Cbrown',
    'color=R%7C100%7CG%7C200%7CB%7C150',
  ]),
  ...styleCases('query', 'spaceDelimited', true, [
    undefined,
    undefined,
    'color=blue&color=black&color=brown',
    undefined,
  ]),
  {
    in: 'query',
    style: 'deepObject',
    explode: true,
    schema: RGB,
    text: 'color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150',
    value: rgb,
  },
];

const json = (schema: unknown, type = 'application/json'): Schema => ({ content: { [type]: { schema } } });
const CONTENT: readonly Case[] = [
  { in: 'header', more: json(RGB), text: '{"R":100,"G":200,"B":150}', value: rgb },
  { in: 'header', more: json(NUMBERS), text: '[1,2]', value: [1, 2] },
  { in: 'query', more: json(NUMBERS), text: 'color=%5B1%2C2%5D', value: [1, 2] },
  {
    in: 'query',
    more: json(RGB, 'application/json; charset=utf-8'),
    text: 'color=%7B%22R%22%3A100%2C%22G%22%3A200%2C%22B%22%3A150%7D',
    value: rgb,
  },
  { in: 'path', more: json(NUMBERS), text: '%5B1%2C2%5D', value: [1, 2] },
  { in: 'cookie', more: json(NUMBERS), text: 'color=%5B1%2C2%5D', value: [1, 2] },
  { in: 'query', more: json(STRING, 'text/plain'), text: 'color=hello', value: 'hello' },
  { in: 'query', more: json(STRING, 'text/plain'), text: 'color=5', value: '5' },
  { in: 'header', more: json(STRING, 'text/plain; charset=utf-8'), text: 'a, b', value: 'a, b' },
  { in: 'query', more: json({ type: 'integer' }, 'text/plain'), text: 'color=5', value: 5, byHand: true },
];

const nullable = (schema: Schema): Schema => ({ ...schema, type: [schema['type'], 'null'] });
const PAGE = { oneOf: [{ type: 'integer' }, { ...RGB, additionalProperties: true }] };
const SHORT = { oneOf: [LIST, { type: 'string', maxLength: 1 }] };
const hand = { byHand: true } as const;
const KINDS: readonly Case[] = [
  // As in the Style Examples before 3.0.4 and 3.1.1.
  { in: 'path', style: 'label', explode: false, schema: NUMBERS, text: '.1.2', value: [1, 2] },
  { in: 'query', schema: nullable(LIST), text: 'color=x', value: ['x'] },
  { in: 'query', schema: { type: 'array', nullable: true, items: STRING }, text: 'color=x', value: ['x'] },
  { in: 'query', schema: nullable(LIST), text: 'color=', value: null, ...hand },
  { in: 'query', schema: nullable(NUMBERS), explode: false, text: 'color=1', value: [1] },
  { in: 'query', schema: nullable(NUMBERS), explode: false, text: 'color=', value: null, ...hand },
  { in: 'path', schema: nullable(NUMBERS), text: '1', value: [1] },
  { in: 'path', style: 'matrix', explode: true, schema: nullable(NUMBERS), text: ';color=1', value: [1] },
  { in: 'header', schema: nullable(NUMBERS), text: '1', value: [1] },
  { in: 'query', schema: nullable(RGB), text: 'R=1', value: { R: 1 } },
  { in: 'query', schema: nullable(RGB), text: 'color=', value: null, ...hand },
  { in: 'query', schema: nullable(RGB), style: 'deepObject', text: 'color%5BR%5D=1', value: { R: 1 } },
  { in: 'query', schema: { type: ['integer', 'null'] }, text: 'color=', value: null, ...hand },
  { in: 'query', schema: PAGE, text: 'color=5', value: 5 },
  { in: 'query', schema: PAGE, text: 'R=7&G=7', value: { R: 7, G: 7 } },
  { in: 'query', schema: PAGE, explode: false, text: 'color=R,7,G,7', value: { R: 7, G: 7 } },
  { in: 'query', schema: PAGE, style: 'deepObject', text: 'color%5BR%5D=7', value: { R: 7 } },
  { in: 'path', schema: PAGE, explode: true, text: 'R=7', value: { R: 7 } },
  { in: 'path', schema: PAGE, style: 'matrix', explode: true, text: ';color=7', value: 7 },
  { in: 'path', schema: PAGE, style: 'matrix', explode: true, text: ';R=7', value: { R: 7 } },
  { in: 'query', schema: SHORT, text: 'color=abc', value: ['abc'], ...hand },
  { in: 'query', schema: SHORT, text: 'color=a', value: 'a' },
  { in: 'query', schema: { anyOf: [LIST, RGB] }, text: 'R=7', value: { R: 7 } },
  {
    in: 'query',
    schema: { type: 'integer' },
    more: { allowEmptyValue: true },
    text: 'color=',
    value: '',
    ...hand,
  },
  {
    in: 'query',
    schema: { type: 'integer' },
    more: { allowEmptyValue: true },
    text: 'color',
    value: '',
    ...hand,
  },
  {
    in: 'query',
    schema: { type: 'boolean' },
    more: { allowEmptyValue: true },
    text: 'color=true',
    value: true,
  },
  {
    in: 'query',
    schema: { type: ['integer', 'null'] },
    more: { allowEmptyValue: true },
    text: 'color=',
    value: null,
    ...hand,
  },
];

/** A form, and its body. */
interface FormCase {
  readonly schema: Schema;
  readonly encoding?: Schema;
  readonly text: string;
  readonly value: unknown;
  readonly byHand?: boolean;
}
const OBJECTS = { type: 'array', items: { type: 'object', properties: { a: { type: 'integer' } } } };
const FORMS: readonly FormCase[] = [
  { schema: LIST, text: 'f=a&f=b', value: ['a', 'b'], ...hand },
  { schema: NUMBERS, text: 'f=1&f=2', value: [1, 2] },
  { schema: NUMBERS, text: 'f=1,2', value: [1, 2], ...hand },
  { schema: RGB, text: 'f=%7B%22R%22%3A1%7D', value: { R: 1 } },
  { schema: OBJECTS, text: 'f=%7B%22a%22%3A1%7D&f=%7B%22a%22%3A2%7D', value: [{ a: 1 }, { a: 2 }] },
  { schema: OBJECTS, text: 'f=%5B%7B%22a%22%3A1%7D%5D', value: [{ a: 1 }], ...hand },
  { schema: OBJECTS, text: 'f=%7B%22a%22%3A1%7D', value: [{ a: 1 }], ...hand },
  { schema: NUMBERS, encoding: { style: 'form', explode: false }, text: 'f=1,2', value: [1, 2] },
  { schema: NUMBERS, encoding: { style: 'form' }, text: 'f=1&f=2', value: [1, 2] },
  { schema: RGB, encoding: { style: 'form', explode: false }, text: 'f=R,1,G,2', value: { R: 1, G: 2 } },
  { schema: RGB, encoding: { style: 'form', explode: true }, text: 'R=1&G=2', value: { R: 1, G: 2 } },
  { schema: LIST, encoding: { style: 'spaceDelimited', explode: false }, text: 'f=a%20b', value: ['a', 'b'] },
  { schema: LIST, encoding: { style: 'pipeDelimited', explode: false }, text: 'f=a%7Cb', value: ['a', 'b'] },
  { schema: RGB, encoding: { style: 'deepObject', explode: true }, text: 'f%5BR%5D=1', value: { R: 1 } },
  { schema: STRING, encoding: { allowReserved: true }, text: 'f=a/b:c', value: 'a/b:c' },
  { schema: { type: 'integer' }, encoding: { contentType: 'text/plain' }, text: 'f=5', value: 5 },
  { schema: NUMBERS, encoding: { contentType: 'application/json' }, text: 'f=%5B1%2C2%5D', value: [1, 2] },
  { schema: nullable(LIST), text: 'f=a', value: ['a'] },
  { schema: nullable(LIST), text: 'f=', value: null, ...hand },
  { schema: PAGE, text: 'f=5', value: 5 },
  { schema: PAGE, text: 'f=%7B%22R%22%3A7%7D', value: { R: 7 }, ...hand },
];

const CASES = [...STYLES, ...CONTENT, ...KINDS];
const FORM_TYPE = 'application/x-www-form-urlencoded';

function operations(): Record<string, Record<string, Record<string, unknown>>> {
  const paths: Record<string, Record<string, Record<string, unknown>>> = {};
  for (const [index, { in: place, style, explode, schema, more }] of CASES.entries()) {
    const parameter = {
      name: 'color',
      in: place,
      required: place === 'path',
      style,
      explode,
      schema,
      ...more,
    };
    paths[`/p${index}${place === 'path' ? '/{color}' : ''}`] = {
      get: { operationId: `p${index}`, parameters: [JSON.parse(JSON.stringify(parameter))] },
    };
  }
  for (const [index, { schema, encoding }] of FORMS.entries()) {
    const media = {
      schema: { type: 'object', properties: { f: schema } },
      ...(encoding === undefined ? {} : { encoding: { f: encoding } }),
    };
    paths[`/f${index}`] = {
      post: { operationId: `f${index}`, requestBody: { content: { [FORM_TYPE]: media } } },
    };
  }
  return paths;
}

const titleOf = ({ text, value, ...rest }: Case | FormCase): string =>
  `${JSON.stringify({ ...rest, byHand: undefined })} ${text} is ${JSON.stringify(value)}`;

describe('styles of parameters and forms', () => {
  const scope = new Scope();
  const requester = new FakeRequester();
  let url: string;
  let gateway: Gateway;
  let client: Awaited<ReturnType<typeof SwaggerClient>>;

  before(async () => {
    ({ gateway, url } = await ownServer(scope, {
      requester,
      api: apiOf(operations()),
      replies: { check: 'off' },
    }));
    assert.ok(gateway);
    client = await SwaggerClient(`${url}/openapi.json`);
  });
  after(() => scope.close());

  for (const [index, one] of CASES.entries()) {
    it(titleOf(one), async () => {
      const target = `${url}/p${index}${one.in === 'path' ? `/${one.text}` : ''}`;
      const headers: Record<string, string> =
        one.in === 'header' ? { color: one.text } : one.in === 'cookie' ? { cookie: one.text } : {};
      const { statusCode, body } = await request(one.in === 'query' ? `${target}?${one.text}` : target, {
        headers,
      });
      assert.equal(statusCode, 200, await body.text());
      assert.deepEqual(requester.data, { color: one.value });
    });
  }

  for (const [index, one] of FORMS.entries()) {
    it(`form: ${titleOf(one)}`, async () => {
      const headers = { 'content-type': FORM_TYPE };
      const { statusCode, body } = await request(`${url}/f${index}`, {
        method: 'POST',
        headers,
        body: one.text,
      });
      assert.equal(statusCode, 200, await body.text());
      assert.deepEqual(requester.data, { f: one.value });
    });
  }

  // Browsers set cookies themselves, and swagger-client leaves them to the browser.
  for (const [index, one] of CASES.entries()) {
    if (one.byHand === true || one.in === 'cookie') continue;
    it(`swagger-client: ${titleOf(one)}`, async () => {
      await client.execute({ operationId: `p${index}`, parameters: { color: one.value } });
      assert.deepEqual(requester.data, { color: one.value });
    });
  }

  for (const [index, one] of FORMS.entries()) {
    if (one.byHand === true) continue;
    it(`swagger-client: form: ${titleOf(one)}`, async () => {
      await client.execute({ operationId: `f${index}`, requestBody: { f: one.value } });
      assert.deepEqual(requester.data, { f: one.value });
    });
  }
});
