/** Tests that any JSON number of a request reaches the worker with all its digits. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Binder } from '../../../src/gateway/binding/binder.ts';
import type { ParameterSource } from '../../../src/gateway/binding/parameters.ts';
import { parseTemplate } from '../../../src/gateway/paths/path-pattern.ts';
import { Validators } from '../../../src/gateway/validation/validate.ts';
import { ApiRegistry } from '../../../src/openapi/index.ts';
import { documentOf, parameter } from '../../helpers/gateway/api.ts';
import fc from '../../helpers/property.ts';
import { jsonNumber } from '../json-texts.ts';

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const anything = { type: 'object' };
const json = (schema: unknown): object => ({ [JSON_TYPE]: { schema } });
const encode = encodeURIComponent;

interface Sent extends Partial<ParameterSource> {
  readonly type?: string;
  readonly body?: string;
}

/** Binds requests to one operation and returns the text of the event data. */
function binding(operation: Record<string, unknown>): (sent: Sent) => string {
  const registry = new ApiRegistry();
  const snapshot = registry.put('test', documentOf({ '/x/{id}': { post: operation } }));
  const [first] = snapshot.operations;
  assert.ok(first);
  const template = parseTemplate(first.path);
  const binder = new Binder({
    operation: first,
    document: snapshot.document,
    validators: new Validators(snapshot),
    template,
    ignoredQuery: new Set(),
    maxDepth: 100,
  });
  return ({ type = JSON_TYPE, body, ...source }) => {
    const whole = { segments: ['x', '7'], query: '', headers: {}, ...source };
    const bound = binder.bind(whole, type, body === undefined ? undefined : Buffer.from(body));
    assert.ok(!Array.isArray(bound), JSON.stringify(bound));
    return bound.body.toString();
  };
}

const body = (content: object): Record<string, unknown> => ({ requestBody: { content } });
const filled = { type: 'object', properties: { lang: { default: 'en' }, n: { type: 'number' } } };
const query = (schema: unknown, more: object = {}): object => parameter('p', 'query', schema, { ...more });

const PATHS: readonly [
  title: string,
  bind: (sent: Sent) => string,
  sent: (n: string) => Sent,
  data: (n: string) => string,
][] = [
  [
    'a body beside a parameter',
    binding(body(json(anything))),
    (n) => ({ body: `{"n":${n}}` }),
    (n) => `{"id":"7","n":${n}}`,
  ],
  [
    'a body with a default filled in',
    binding(body(json(filled))),
    (n) => ({ body: `{"n":${n}}` }),
    (n) => `{"id":"7","n":${n},"lang":"en"}`,
  ],
  [
    'a body that repeats a parameter',
    binding(body(json(anything))),
    (n) => ({ body: `{"id":"7","n":[${n}]}` }),
    (n) => `{"id":"7","n":[${n}]}`,
  ],
  [
    'a body with a name that stands twice',
    binding(body(json(anything))),
    (n) => ({ body: `{"n":1,"n":${n},"x":${n}}` }),
    (n) => `{"id":"7","n":${n},"x":${n}}`,
  ],
  [
    'a nested body',
    binding({ ...body(json(true)), 'x-event-body': 'nested' }),
    (n) => ({ body: n }),
    (n) => `{"id":"7","body":${n}}`,
  ],
  [
    'JSON in the query',
    binding({ parameters: [{ name: 'p', in: 'query', content: json(true) }] }),
    (n) => ({ query: `p=${encode(`{"n":${n},"n":${n}}`)}` }),
    (n) => `{"id":"7","p":{"n":${n}}}`,
  ],
  [
    'JSON in a header',
    binding({ parameters: [{ name: 'p', in: 'header', content: json(true) }] }),
    (n) => ({ headers: { p: `{"n":${n}}` } }),
    (n) => `{"id":"7","p":{"n":${n}}}`,
  ],
  [
    'JSON in a form',
    binding(body({ [FORM_TYPE]: { schema: { type: 'object', properties: { o: anything } } } })),
    (n) => ({ type: FORM_TYPE, body: `o=${encode(`{"n":${n}}`)}` }),
    (n) => `{"id":"7","o":{"n":${n}}}`,
  ],
  [
    'a field of a form',
    binding(body({ [FORM_TYPE]: { schema: filled } })),
    (n) => ({ type: FORM_TYPE, body: `n=${encode(n)}` }),
    (n) => `{"id":"7","n":${n},"lang":"en"}`,
  ],
  [
    'a list in the query',
    binding({ parameters: [query({ type: 'array', items: { type: 'number' } })] }),
    (n) => ({ query: `p=${encode(n)}&p=1` }),
    (n) => `{"id":"7","p":[${n},1]}`,
  ],
  [
    'an object in the query',
    binding({
      parameters: [query({ type: 'object', properties: { n: { type: 'number' } } }, { style: 'deepObject' })],
    }),
    (n) => ({ query: `p[n]=${encode(n)}` }),
    (n) => `{"id":"7","p":{"n":${n}}}`,
  ],
];

describe('any JSON number keeps its digits', () => {
  for (const [title, bind, sent, data] of PATHS) {
    it(`JSON numbers: keep all digits in ${title}`, () => {
      fc.assert(fc.property(jsonNumber, (number) => assert.equal(bind(sent(number)), data(number))));
    });
  }
});
