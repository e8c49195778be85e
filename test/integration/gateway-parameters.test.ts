import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { apiOf, parameter } from '../helpers/gateway/api.ts';
import { HOSTS, problemOf } from '../helpers/gateway/hosts.ts';
import { FakeRequester } from '../helpers/gateway/requester.ts';

type Parameter = ReturnType<typeof parameter>;

/** A request with one parameter, and the data that the worker gets. */
interface Case {
  readonly parameter: Parameter;
  readonly query?: string;
  readonly segment?: string;
  readonly headers?: Record<string, string>;
  /** Value of the field `p`; `undefined` if it is absent. */
  readonly value?: unknown;
  /** JSON text of the field `p` if `value` cannot express it. */
  readonly text?: string;
  /** Expected errors instead of a value. */
  readonly faults?: readonly string[];
}

const integer = { type: 'integer' };
const list = { type: 'array', items: integer };
const words = { type: 'array', items: { type: 'string' } };
const color = {
  type: 'object',
  properties: { R: integer, G: integer },
  additionalProperties: false,
};
const SORT = {
  type: 'object',
  properties: { field: { type: 'string', default: 'id' }, order: { type: 'string', default: 'ASC' } },
};
const SORTED = { order: 'DESC', field: 'id' };
const inQuery = (schema: unknown, more: object = {}): Parameter =>
  parameter('p', 'query', schema, { ...more });
const inPath = (schema: unknown, style: string, explode: boolean): Parameter =>
  parameter('p', 'path', schema, { style, explode });
const inHeader = (schema: unknown, explode = false): Parameter =>
  parameter('p', 'header', schema, { explode });
const inCookie = (schema: unknown, explode: boolean): Parameter =>
  parameter('p', 'cookie', schema, { explode });
const form = (explode: boolean): object => ({ style: 'form', explode });

const CASES: readonly Case[] = [
  // Strict coercion
  { parameter: inQuery(integer), query: 'p=5', value: 5 },
  { parameter: inQuery(integer), query: 'p=-0', text: '-0' },
  { parameter: inQuery(integer), query: 'p=9007199254740993', text: '9007199254740993' },
  { parameter: inPath(integer, 'simple', false), segment: '9007199254740993', text: '9007199254740993' },
  { parameter: inHeader(list), headers: { p: '1,9007199254740993' }, text: '[1,9007199254740993]' },
  {
    parameter: inQuery({ ...integer, format: 'int64' }),
    query: 'p=9223372036854775807',
    text: '9223372036854775807',
  },
  {
    parameter: inQuery({ ...integer, format: 'int64' }),
    query: 'p=9223372036854775808',
    faults: ['/query/p'],
  },
  {
    parameter: inQuery({ ...integer, maximum: 9007199254740992 }),
    query: 'p=9007199254740993',
    faults: ['/query/p'],
  },
  ...[
    '',
    '+',
    '%20',
    '0x10',
    '1e999',
    '1e3',
    '1'.repeat(4301),
    '5.0',
    '05',
    '%2B5',
    'NaN',
    'Infinity',
    '1_000',
  ].map((text): Case => ({ parameter: inQuery(integer), query: `p=${text}`, faults: ['/query/p'] })),
  { parameter: inQuery({ type: 'number' }), query: 'p=-1.5e3', text: '-1.5e3' },
  ...['9007199254740993', '1e999', '0.10', '0.1234567890123456789'].map(
    (text): Case => ({ parameter: inQuery({ type: 'number' }), query: `p=${text}`, text }),
  ),
  ...['', '%20', '0x10', '.5', '5.', 'NaN', '-Infinity'].map(
    (text): Case => ({ parameter: inQuery({ type: 'number' }), query: `p=${text}`, faults: ['/query/p'] }),
  ),
  { parameter: inQuery({ type: 'boolean' }), query: 'p=true', value: true },
  { parameter: inQuery({ type: 'boolean' }), query: 'p=false', value: false },
  ...['1', 'True', 'yes', ''].map(
    (text): Case => ({ parameter: inQuery({ type: 'boolean' }), query: `p=${text}`, faults: ['/query/p'] }),
  ),
  { parameter: inQuery({ type: ['integer', 'null'] }), query: 'p=', value: null },
  { parameter: inQuery({ type: ['integer', 'string'] }), query: 'p=7', value: 7 },
  { parameter: inQuery({ type: ['integer', 'string'] }), query: 'p=07', value: '07' },
  { parameter: inQuery({ oneOf: [integer, { enum: ['all'] }] }), query: 'p=all', value: 'all' },
  { parameter: inQuery({ enum: [1, 2] }), query: 'p=2', value: 2 },
  { parameter: inQuery({ enum: [1, 2] }), query: 'p=3', faults: ['/query/p'] },
  { parameter: inQuery({ type: 'string' }), query: 'p=a%20b+c%26', value: 'a b c&' },
  { parameter: inQuery({ type: 'string' }), query: 'p=', value: '' },
  { parameter: inQuery({ type: 'string' }), query: 'p', value: '' },
  { parameter: inQuery({}), query: 'p=12', value: '12' },
  { parameter: inQuery({ type: 'integer', default: 20 }), query: '', value: 20 },
  { parameter: inQuery({ allOf: [{ type: 'integer', default: 20 }] }), query: '', value: 20 },
  // Absent members get their defaults, in every location and style.
  { parameter: inQuery(SORT, { style: 'deepObject' }), query: 'p[order]=DESC', value: SORTED },
  { parameter: inQuery(SORT, form(true)), query: 'order=DESC', value: SORTED },
  { parameter: inQuery(SORT, form(false)), query: 'p=order,DESC', value: SORTED },
  { parameter: inPath(SORT, 'label', true), segment: '.order=DESC', value: SORTED },
  { parameter: inHeader(SORT, true), headers: { p: 'order=DESC' }, value: SORTED },
  { parameter: inCookie(SORT, false), headers: { cookie: 'p=order,DESC' }, value: SORTED },
  { parameter: inQuery(SORT, { style: 'deepObject' }), query: '', value: undefined },
  { parameter: inQuery(integer), query: '', value: undefined },
  { parameter: inQuery(integer, { required: true }), query: '', faults: ['/query/p'] },
  { parameter: inQuery({ type: 'integer', minimum: 1, maximum: 100 }), query: 'p=0', faults: ['/query/p'] },
  { parameter: inQuery(integer), query: 'p=1&p=2', faults: ['/query/p'] },
  { parameter: inQuery({ type: 'string' }), query: 'p=%zz', faults: ['/query/p'] },
  { parameter: inQuery({ type: 'string' }), query: 'p=1&%zz=1', faults: ['/query'] },
  { parameter: inQuery(integer), query: 'p=1&x=1&__proto__=1', faults: ['/query/x', '/query/__proto__'] },
  { parameter: inQuery(integer), query: '&&p=1&', value: 1 },

  // form
  { parameter: inQuery(list, form(true)), query: 'p=1&p=2', value: [1, 2] },
  { parameter: inQuery(list, form(true)), query: 'p=1', value: [1] },
  { parameter: inQuery(list, form(true)), query: 'p=1&p=x&p=y', faults: ['/query/p/1', '/query/p/2'] },
  { parameter: inQuery(list, form(false)), query: 'p=1,2,3', value: [1, 2, 3] },
  { parameter: inQuery(list, form(false)), query: 'p=', value: [] },
  { parameter: inQuery(words, form(false)), query: 'p=a%2Cb,c', value: ['a,b', 'c'] },
  { parameter: inQuery(color, form(true)), query: 'R=1&G=2', value: { R: 1, G: 2 } },
  { parameter: inQuery(color, form(true)), query: 'R=1&R=2', faults: ['/query/p/R'] },
  { parameter: inQuery(color, form(true)), query: 'R=1&B=2', faults: ['/query/B'] },
  { parameter: inQuery(color, form(false)), query: 'p=R,1,G,2', value: { R: 1, G: 2 } },
  { parameter: inQuery(color, form(false)), query: 'p=R,1,G', faults: ['/query/p'] },
  {
    parameter: inQuery({ type: 'object', additionalProperties: integer }, form(true)),
    query: 'a=1&constructor=2&__proto__=3',
    value: JSON.parse('{"a":1,"constructor":2,"__proto__":3}'),
  },
  // spaceDelimited, pipeDelimited
  {
    parameter: inQuery(list, { style: 'spaceDelimited', explode: false }),
    query: 'p=1%202+3',
    value: [1, 2, 3],
  },
  {
    parameter: inQuery(list, { style: 'pipeDelimited', explode: false }),
    query: 'p=1|2%7C3',
    value: [1, 2, 3],
  },
  { parameter: inQuery(list, { style: 'pipeDelimited', explode: true }), query: 'p=1&p=2', value: [1, 2] },
  {
    parameter: inQuery(color, { style: 'pipeDelimited', explode: false }),
    query: 'p=R|1|G|2',
    value: { R: 1, G: 2 },
  },
  // deepObject
  {
    parameter: inQuery(color, { style: 'deepObject', explode: true }),
    query: 'p[R]=1&p[G]=2',
    value: { R: 1, G: 2 },
  },
  { parameter: inQuery(color, { style: 'deepObject', explode: true }), query: 'p%5BR%5D=1', value: { R: 1 } },
  {
    parameter: inQuery(color, { style: 'deepObject', explode: true }),
    query: 'p[R]=x',
    faults: ['/query/p/R'],
  },
  {
    parameter: inQuery(color, { style: 'deepObject', explode: true }),
    query: 'p[R]=1&p[R]=2',
    faults: ['/query/p/R'],
  },
  {
    parameter: inQuery(color, { style: 'deepObject', explode: true }),
    query: 'p[B]=1',
    faults: ['/query/p/B'],
  },
  { parameter: inQuery(color, { style: 'deepObject', explode: true }), query: 'p=1', faults: ['/query/p'] },
  {
    parameter: inQuery(color, { style: 'deepObject', explode: true }),
    query: 'q[R]=1',
    faults: ['/query/q[R]'],
  },
  {
    parameter: inQuery(
      {
        type: 'object',
        properties: { tags: words, owner: { type: 'object', properties: { age: integer } } },
      },
      { style: 'deepObject', explode: true },
    ),
    query: 'p[tags]=a&p[tags]=b&p[owner][age]=7',
    value: { tags: ['a', 'b'], owner: { age: 7 } },
  },
  {
    parameter: inQuery({ type: 'object' }, { style: 'deepObject', explode: true }),
    query: 'p[__proto__]=1&p[constructor]=2&p[7]=x',
    value: JSON.parse('{"__proto__":"1","constructor":"2","7":"x"}'),
  },
  {
    parameter: inQuery({ type: 'object' }, { style: 'deepObject', explode: true }),
    query: `p${'[a]'.repeat(20)}=1`,
    faults: [`/query/p${'/a'.repeat(8)}`],
  },
  // content
  {
    parameter: { name: 'p', in: 'query', content: { 'application/json': { schema: color } } },
    query: 'p=%7B%22R%22%3A1%7D',
    value: { R: 1 },
  },
  {
    parameter: { name: 'p', in: 'query', content: { 'application/json': { schema: color } } },
    query: 'p=%7B',
    faults: ['/query/p'],
  },
  // path
  { parameter: inPath(integer, 'simple', false), segment: '5', value: 5 },
  { parameter: inPath(integer, 'simple', false), segment: 'x', faults: ['/path/p'] },
  { parameter: inPath(list, 'simple', false), segment: '3,4,5', value: [3, 4, 5] },
  { parameter: inPath(words, 'simple', true), segment: 'a%2Cb,c%2Fd', value: ['a,b', 'c/d'] },
  { parameter: inPath(color, 'simple', false), segment: 'R,1,G,2', value: { R: 1, G: 2 } },
  { parameter: inPath(color, 'simple', true), segment: 'R=1,G=2', value: { R: 1, G: 2 } },
  { parameter: inPath(integer, 'label', false), segment: '.5', value: 5 },
  { parameter: inPath(integer, 'label', false), segment: '5', faults: ['/path/p'] },
  { parameter: inPath(list, 'label', false), segment: '.3,4', value: [3, 4] },
  { parameter: inPath(list, 'label', true), segment: '.3.4', value: [3, 4] },
  { parameter: inPath(color, 'label', false), segment: '.R,1,G,2', value: { R: 1, G: 2 } },
  { parameter: inPath(color, 'label', true), segment: '.R=1.G=2', value: { R: 1, G: 2 } },
  { parameter: inPath(integer, 'matrix', false), segment: ';p=5', value: 5 },
  { parameter: inPath(integer, 'matrix', false), segment: ';q=5', faults: ['/path/p'] },
  { parameter: inPath(list, 'matrix', false), segment: ';p=3,4', value: [3, 4] },
  { parameter: inPath(list, 'matrix', true), segment: ';p=3;p=4', value: [3, 4] },
  { parameter: inPath(color, 'matrix', false), segment: ';p=R,1,G,2', value: { R: 1, G: 2 } },
  { parameter: inPath(color, 'matrix', true), segment: ';R=1;G=2', value: { R: 1, G: 2 } },
  // header
  { parameter: inHeader(integer), headers: { p: '5' }, value: 5 },
  { parameter: inHeader(integer), headers: { P: 'five' }, faults: ['/header/p'] },
  { parameter: inHeader(list), headers: { p: '1, 2,3' }, value: [1, 2, 3] },
  { parameter: inHeader(color), headers: { p: 'R,1,G,2' }, value: { R: 1, G: 2 } },
  { parameter: inHeader(color, true), headers: { p: 'R=1,G=2' }, value: { R: 1, G: 2 } },
  // cookie
  { parameter: inCookie(integer, false), headers: { cookie: 'a=1; p=5' }, value: 5 },
  { parameter: inCookie({ type: 'string' }, false), headers: { cookie: 'p="a%20b"' }, value: 'a b' },
  { parameter: inCookie({ type: 'string' }, false), headers: { cookie: 'p=50%' }, value: '50%' },
  { parameter: inCookie(list, false), headers: { cookie: 'p=1,2' }, value: [1, 2] },
  { parameter: inCookie(list, true), headers: { cookie: 'p=1; p=2' }, value: [1, 2] },
  { parameter: inCookie(color, true), headers: { cookie: 'R=1; other=x' }, value: { R: 1 } },
  { parameter: inCookie(integer, true), headers: { cookie: 'p=5; p=six' }, value: 5 },
  { parameter: inCookie(integer, false), headers: { cookie: 'p=five; p=6' }, faults: ['/cookie/p'] },
  { parameter: inCookie(list, false), headers: { cookie: 'p=1,2; p=3' }, value: [1, 2] },
  { parameter: inCookie(color, true), headers: { cookie: 'R=1; R=2; G=3' }, value: { R: 1, G: 3 } },
];

function title({ parameter: p, query, segment, headers, faults }: Case): string {
  const sent = query ?? segment ?? JSON.stringify(headers);
  const style = `${(p['style'] as string | undefined) ?? ''}${p['explode'] === true ? ' exploded' : ''}`;
  return `${String(p['in'])} ${style} ${sent} of ${JSON.stringify(p['schema'])}${faults === undefined ? '' : ' is rejected'}`;
}

for (const [name, host] of HOSTS) {
  describe(`parameters on ${name}`, () => {
    for (const one of CASES) {
      it(title(one), async (t) => {
        const requester = new FakeRequester();
        const path = one.segment === undefined ? '/x' : '/x/{p}';
        const { url } = await host(t, {
          requester,
          api: apiOf({ [path]: { get: { parameters: [one.parameter] } } }),
        });
        const target = `${url}/x${one.segment === undefined ? '' : `/${one.segment}`}?${one.query ?? ''}`;
        const response = await fetch(target, { headers: one.headers });
        if (one.faults === undefined) {
          assert.equal(response.status, 200, await response.text());
          const text = one.text ?? JSON.stringify(one.value);
          assert.equal(requester.text, text === undefined ? '{}' : `{"p":${text}}`);
        } else {
          const { code, errors } = await problemOf(response);
          assert.equal(code, 'INVALID_REQUEST');
          assert.deepEqual(
            errors?.map(({ pointer }) => pointer),
            one.faults,
          );
          assert.equal(requester.requests.length, 0);
        }
      });
    }

    it(`parameters on ${name}: every error of a request is listed, each with a sentence`, async (t) => {
      const api = apiOf({
        '/x/{id}': {
          get: {
            parameters: [
              parameter('id', 'path', integer),
              inQuery({ type: 'string', minLength: 3 }, { required: true }),
              parameter('limit', 'query', { type: 'integer', maximum: 100 }),
              parameter('X-Key', 'header', { type: 'string' }, { required: true }),
            ],
          },
        },
      });
      const { url } = await host(t, { requester: new FakeRequester(), api });
      const problem = await problemOf(await fetch(`${url}/x/one?p=ab&limit=101&z=1`));
      assert.deepEqual(problem.errors, [
        { pointer: '/path/id', detail: 'must be an integer' },
        { pointer: '/query/z', detail: 'is unknown; the parameters are p, limit' },
        { pointer: '/query/p', detail: 'must have at least 3 characters' },
        { pointer: '/query/limit', detail: 'must be at most 100' },
        { pointer: '/header/X-Key', detail: 'is required' },
      ]);
      assert.equal(problem.dispatched, false);
    });

    it(`parameters on ${name}: unknown query fields are ignored if the document says so`, async (t) => {
      const requester = new FakeRequester();
      const api = apiOf({ '/x': { get: { 'x-unknown-query': 'ignore' } } });
      const { url } = await host(t, { requester, api });
      assert.equal((await fetch(`${url}/x?a=1&b=%zz`)).status, 200);
      assert.equal(requester.text, '{}');
    });
  });
}
