/** Changes between two versions of a document, by rule and level. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runAtOnce } from '../../../../src/core/time/steps.ts';
import { ApiRegistry, compareDocuments } from '../../../../src/openapi/index.ts';

type Part = Record<string, unknown>;

const NOW = Date.UTC(2026, 10, 28);

function read(document: Part) {
  const registry = new ApiRegistry();
  registry.put('document', document);
  const contract = registry.contractOf('document');
  assert.ok(contract);
  return contract.ingested;
}

/** Returns the changes as `level rule: text`. */
function changes(before: Part, after: Part): string[] {
  return runAtOnce(compareDocuments(read(before), read(after), NOW)).map(
    ({ level, rule, text }) => `${level} ${rule}: ${text}`,
  );
}

const documentOf = (paths: Part, rest: Part = {}): Part => ({
  openapi: '3.1.0',
  info: { title: 'Test', version: '1' },
  paths,
  ...rest,
});
const ok = { 200: { description: 'Good' } };
const get = (operation: Part = {}, rest: Part = {}): Part =>
  documentOf({ '/a': { get: { 'x-event-name': 'a', responses: ok, ...operation } } }, rest);
const query = (parameter: Part): Part => get({ parameters: [{ in: 'query', name: 'q', ...parameter }] });
const body = (schema: unknown, more: Part = {}, rest: Part = {}): Part =>
  documentOf(
    {
      '/a': {
        post: {
          'x-event-name': 'a',
          requestBody: { content: { 'application/json': { schema } }, ...more },
          responses: ok,
        },
      },
    },
    rest,
  );
const response = (schema: unknown, more: Part = {}, rest: Part = {}): Part =>
  get(
    { responses: { 200: { description: 'Good', content: { 'application/json': { schema } }, ...more } } },
    rest,
  );
const object = (properties: Part, required: string[] = [], more: Part = {}): Part => ({
  type: 'object',
  properties,
  required,
  ...more,
});
const text = { type: 'string' };
const BODY = 'the body (application/json)';
const REPLY = 'the response 200 (application/json)';

const CASES: [name: string, before: Part, after: Part, expected: string[]][] = [
  ['nothing', body(object({ a: text })), body(object({ a: text })), []],
  [
    'descriptions and examples',
    body(object({ a: text })),
    body(object({ a: { ...text, description: 'A', examples: ['x'] } }, [], { title: 'T' })),
    [],
  ],
  [
    'an operation is removed',
    get(),
    documentOf({ '/b': { get: { 'x-event-name': 'b', responses: ok } } }),
    ['breaking operation-removed: the operation was removed', 'info operation-added: the operation is new'],
  ],
  [
    'a deprecated operation is removed after its sunset',
    get({ deprecated: true, 'x-sunset': '2026-01-01T00:00:00Z' }),
    documentOf({ '/b': { get: { 'x-event-name': 'b', responses: ok } } }),
    [
      'info operation-removed: the operation was removed after Thu, 01 Jan 2026 00:00:00 GMT',
      'info operation-added: the operation is new',
    ],
  ],
  [
    'a deprecated operation is removed before its sunset',
    get({ deprecated: true, 'x-sunset': '2027-01-01T00:00:00Z' }),
    documentOf({ '/b': { get: { 'x-event-name': 'b', responses: ok } } }),
    ['breaking operation-removed: the operation was removed', 'info operation-added: the operation is new'],
  ],
  [
    'an operation is deprecated',
    get(),
    get({ deprecated: true }),
    ['info operation-deprecated: the operation is deprecated'],
  ],
  [
    'an operation may be removed earlier',
    get({ 'x-sunset': '2028-01-01T00:00:00Z' }),
    get({ 'x-sunset': '2027-01-01T00:00:00Z' }),
    ['warning sunset-earlier: the operation may be removed earlier, from Fri, 01 Jan 2027 00:00:00 GMT'],
  ],
  [
    'the operationId changes',
    get({ operationId: 'one' }),
    get({ operationId: 'two' }),
    ['warning operation-id-changed: operationId one is now two'],
  ],
  ['the event changes', get(), get({ 'x-event-name': 'b' }), ['info event-changed: the event a is now b']],
  [
    'a path parameter is renamed',
    documentOf({
      '/a/{id}': {
        get: {
          'x-event-name': 'a',
          parameters: [{ in: 'path', name: 'id', required: true, schema: text }],
          responses: ok,
        },
      },
    }),
    documentOf({
      '/a/{key}': {
        get: {
          'x-event-name': 'a',
          parameters: [{ in: 'path', name: 'key', required: true, schema: text }],
          responses: ok,
        },
      },
    }),
    ['info request-parameter-renamed: the path parameter id is called key'],
  ],
  [
    'an optional parameter is added',
    get(),
    query({ schema: text }),
    ['info request-parameter-added: the query parameter q is new'],
  ],
  [
    'a required parameter is added',
    get(),
    query({ schema: text, required: true }),
    ['breaking request-parameter-required: the query parameter q is new and required'],
  ],
  [
    'a parameter becomes required',
    query({ schema: text }),
    query({ schema: text, required: true }),
    ['breaking request-parameter-required: the query parameter q is required'],
  ],
  [
    'a parameter becomes optional',
    query({ schema: text, required: true }),
    query({ schema: text }),
    ['info request-parameter-optional: the query parameter q is optional'],
  ],
  [
    'a query parameter is removed',
    query({ schema: text }),
    get(),
    [
      'breaking request-parameter-removed: the query parameter q was removed, and unknown query names are rejected',
    ],
  ],
  [
    'a query parameter is removed where unknown names are ignored',
    query({ schema: text }),
    get({ 'x-unknown-query': 'ignore' }),
    ['warning request-parameter-removed: the query parameter q was removed'],
  ],
  [
    'a header parameter is removed',
    get({ parameters: [{ in: 'header', name: 'X-A', schema: text }] }),
    get(),
    ['warning request-parameter-removed: the header parameter X-A was removed'],
  ],
  [
    'a header parameter is written in another case',
    get({ parameters: [{ in: 'header', name: 'X-A', schema: text }] }),
    get({ parameters: [{ in: 'header', name: 'x-a', schema: text }] }),
    [],
  ],
  [
    'a parameter is serialised differently',
    query({ schema: { type: 'array', items: text } }),
    query({ schema: { type: 'array', items: text }, explode: false }),
    ['breaking request-parameter-style-changed: the query parameter q is serialised differently'],
  ],
  [
    'unknown query names are rejected',
    get({ 'x-unknown-query': 'ignore' }),
    get(),
    ['breaking request-unknown-query-rejected: unknown query names are rejected'],
  ],
  [
    'a bound of a parameter is tightened',
    query({ schema: { type: 'integer', maximum: 100 } }),
    query({ schema: { type: 'integer', maximum: 50 } }),
    ['breaking request-bound-tightened: the query parameter q: maximum is tighter'],
  ],
  [
    'a bound of a parameter is relaxed',
    query({ schema: { type: 'integer', maximum: 50 } }),
    query({ schema: { type: 'integer', maximum: 100 } }),
    ['info request-bound-relaxed: the query parameter q: maximum is relaxed'],
  ],
  [
    'a value of a parameter is removed',
    query({ schema: { enum: ['a', 'b'] } }),
    query({ schema: { enum: ['a'] } }),
    ['breaking request-value-removed: the query parameter q: "b" is no longer accepted'],
  ],
  [
    'a value of a parameter is added',
    query({ schema: { enum: ['a'] } }),
    query({ schema: { enum: ['a', 'b'] } }),
    ['info request-value-added: the query parameter q: "b" is accepted as well'],
  ],
  [
    'a parameter gets another type',
    query({ schema: text }),
    query({ schema: { type: 'integer' } }),
    ['breaking request-type-changed: the query parameter q: a value of type string is no longer accepted'],
  ],
  [
    'a parameter gets a pattern',
    query({ schema: text }),
    query({ schema: { ...text, pattern: '^a' } }),
    ['breaking request-constraint-added: the query parameter q: pattern differs'],
  ],
  [
    'the pattern of a parameter changes',
    query({ schema: { ...text, pattern: '^b' } }),
    query({ schema: { ...text, pattern: '^a' } }),
    ['warning request-constraint-changed: the query parameter q: pattern differs'],
  ],
  [
    'the body becomes required',
    body(text),
    body(text, { required: true }),
    ['breaking request-body-required: the body is required'],
  ],
  [
    'the body becomes optional',
    body(text, { required: true }),
    body(text),
    ['info request-body-optional: the body is optional'],
  ],
  [
    'a member of the body becomes required',
    body(object({ a: text })),
    body(object({ a: text }, ['a'])),
    [`breaking request-member-required: ${BODY}: the member a is required`],
  ],
  [
    'a member of the body becomes optional',
    body(object({ a: text }, ['a'])),
    body(object({ a: text })),
    [`info request-member-optional: ${BODY}: the member a is optional`],
  ],
  [
    'an optional member of the body is added',
    body(object({ a: text })),
    body(object({ a: text, b: text })),
    [`info request-member-added: ${BODY} at /b: the member is new`],
  ],
  [
    'a member of the body is removed',
    body(object({ a: text, b: text })),
    body(object({ a: text })),
    [`warning request-member-not-described: ${BODY} at /b: the member is no longer described`],
  ],
  [
    'a member of a closed body is removed',
    body(object({ a: text, b: text }, [], { additionalProperties: false })),
    body(object({ a: text }, [], { additionalProperties: false })),
    [`breaking request-member-removed: ${BODY}: the member b is no longer accepted`],
  ],
  [
    'a body rejects null',
    body(object({ a: { type: ['string', 'null'] } })),
    body(object({ a: text })),
    [`breaking request-type-changed: ${BODY} at /a: a value of type null is no longer accepted`],
  ],
  [
    'items of the body change',
    body({ type: 'array', items: text }),
    body({ type: 'array', items: { type: 'integer' } }),
    [`breaking request-type-changed: ${BODY} at /[]: a value of type string is no longer accepted`],
  ],
  [
    'a media type of the body is removed',
    body(text, { content: { 'application/json': { schema: text }, 'text/plain': { schema: text } } }),
    body(text),
    ['breaking request-media-type-removed: the body (text/plain) is no longer accepted'],
  ],
  [
    'a read-only member of the body becomes required',
    body(object({ id: { ...text, readOnly: true } })),
    body(object({ id: { ...text, readOnly: true } }, ['id'])),
    [],
  ],
  [
    'a status is removed',
    get({ responses: { ...ok, 202: { description: 'Later' } } }),
    get(),
    ['breaking response-removed: the response 202 was removed'],
  ],
  [
    'a status of an error is removed',
    get({ responses: { ...ok, 404: { description: 'None' } } }),
    get(),
    ['info response-error-removed: the response 404 was removed'],
  ],
  [
    'a status is added',
    get(),
    get({ responses: { ...ok, 404: { description: 'None' } } }),
    ['info response-added: the response 404 is new'],
  ],
  [
    'a value of a response is added',
    response({ enum: ['a'] }),
    response({ enum: ['a', 'b'] }),
    [`warning response-value-added: ${REPLY}: "b" may be returned`],
  ],
  [
    'a value of a response is removed',
    response({ enum: ['a', 'b'] }),
    response({ enum: ['a'] }),
    [`info response-value-removed: ${REPLY}: "b" is no longer returned`],
  ],
  [
    'a member of a response becomes optional',
    response(object({ a: text }, ['a'])),
    response(object({ a: text })),
    [`breaking response-member-optional: ${REPLY}: the member a may be missing`],
  ],
  [
    'a required member of a response is removed',
    response(object({ a: text, b: text }, ['a', 'b'])),
    response(object({ a: text }, ['a'])),
    [`breaking response-member-optional: ${REPLY}: the member b may be missing`],
  ],
  [
    'an optional member of a response is removed',
    response(object({ a: text, b: text })),
    response(object({ a: text })),
    [`warning response-member-removed: ${REPLY} at /b: the member was removed`],
  ],
  [
    'a member of a response is added',
    response(object({ a: text })),
    response(object({ a: text, b: text })),
    [`info response-member-added: ${REPLY} at /b: the member is new`],
  ],
  [
    'a member of a response becomes required',
    response(object({ a: text })),
    response(object({ a: text }, ['a'])),
    [`info response-member-always-present: ${REPLY}: the member a is always present`],
  ],
  [
    'a response may be null',
    response(object({ a: text })),
    response(object({ a: { type: ['string', 'null'] } })),
    [`breaking response-type-changed: ${REPLY} at /a: a value of type null may be returned`],
  ],
  [
    'a bound of a response is relaxed',
    response({ type: 'integer', maximum: 5 }),
    response({ type: 'integer', maximum: 9 }),
    [`breaking response-bound-relaxed: ${REPLY}: maximum is relaxed`],
  ],
  [
    'a bound of a response is tightened',
    response({ type: 'integer', maximum: 9 }),
    response({ type: 'integer', maximum: 5 }),
    [`info response-bound-tightened: ${REPLY}: maximum is tighter`],
  ],
  [
    'a write-only member of a response is removed',
    response(object({ a: text, b: { ...text, writeOnly: true } })),
    response(object({ a: text })),
    [],
  ],
  [
    'a media type of a response is removed',
    response(text, { content: { 'application/json': { schema: text }, 'text/csv': { schema: text } } }),
    response(text),
    ['breaking response-media-type-removed: the response 200 (text/csv) was removed'],
  ],
  [
    'a required header of a response is removed',
    response(text, { headers: { 'X-A': { required: true, schema: text } } }),
    response(text),
    ['breaking response-header-removed: the response 200: the header x-a was removed'],
  ],
  [
    'security is required',
    get(),
    get({ security: [{ key: [] }] }),
    ['breaking security-tightened: security requires more of callers'],
  ],
  [
    'another scheme is accepted',
    get({ security: [{ key: [] }] }),
    get({ security: [{ key: [] }, { other: [] }] }),
    ['info security-relaxed: security requires less of callers'],
  ],
  [
    'an alternative of a body is added',
    body({ oneOf: [text, { type: 'integer' }] }),
    body({ oneOf: [text, { type: 'integer' }, { type: 'boolean' }] }),
    [`info request-type-widened: ${BODY}: a value of type boolean is accepted as well`],
  ],
  [
    'an alternative of a body is removed',
    body({ oneOf: [text, { type: 'integer' }] }),
    body({ oneOf: [text] }),
    [`breaking request-type-changed: ${BODY}: a value of type integer is no longer accepted`],
  ],
];

describe('compareDocuments', () => {
  for (const [name, before, after, expected] of CASES) {
    it(name, () => assert.deepEqual(changes(before, after), expected));
  }

  it('a renamed component with the same content is not a change', () => {
    const ref = (name: string, schema: unknown) =>
      body({ $ref: `#/components/schemas/${name}` }, {}, { components: { schemas: { [name]: schema } } });
    assert.deepEqual(changes(ref('One', object({ a: text })), ref('Two', object({ a: text }))), []);
    assert.deepEqual(changes(ref('One', object({ a: text })), ref('One', object({ a: text }, ['a']))), [
      `breaking request-member-required: ${BODY}: the member a is required`,
    ]);
  });

  it('a change behind references is found at each operation that uses it, in cycles too', () => {
    const tree = (name: unknown): Part => {
      const components = {
        schemas: {
          Tree: object({ name, children: { type: 'array', items: { $ref: '#/components/schemas/Node' } } }),
          Node: object({ tree: { $ref: '#/components/schemas/Tree' } }),
        },
      };
      const operation = (event: string, ref: string) => ({
        'x-event-name': event,
        requestBody: { content: { 'application/json': { schema: { $ref: `#/components/schemas/${ref}` } } } },
        responses: ok,
      });
      return documentOf(
        { '/tree': { post: operation('tree', 'Tree') }, '/node': { post: operation('node', 'Node') } },
        { components },
      );
    };
    assert.deepEqual(changes(tree(text), tree(text)), []);
    assert.deepEqual(changes(tree(text), tree({ type: 'integer' })), [
      `breaking request-type-changed: ${BODY} at /name: a value of type string is no longer accepted`,
      `breaking request-type-changed: ${BODY} at /tree/name: a value of type string is no longer accepted`,
    ]);
  });

  it('OpenAPI 3.0 and 3.1 are compared by meaning', () => {
    const old = {
      ...body(
        object({
          a: { type: 'string', nullable: true },
          n: { type: 'integer', minimum: 1, exclusiveMinimum: true },
        }),
      ),
      openapi: '3.0.3',
    };
    const now = body(
      object({ a: { type: ['string', 'null'] }, n: { type: 'integer', exclusiveMinimum: 1 } }),
    );
    assert.deepEqual(changes(old, now), []);
  });

  it('members with the names of keywords are members', () => {
    const before = body(object({ type: text, title: text, items: text }));
    const after = body(object({ type: text, title: { type: 'integer' }, items: text }));
    assert.deepEqual(changes(before, after), [
      `breaking request-type-changed: ${BODY} at /title: a value of type string is no longer accepted`,
    ]);
  });
});

describe('contract diff: streams', () => {
  const stream = (schema: unknown, type = 'text/event-stream', more: Part = {}): Part =>
    get({
      responses: { 200: { description: '', content: { [type]: { 'x-item-schema': schema } } } },
      ...more,
    });
  const uploadOf = (more: Part): Part => body({}, { 'x-stream': true, ...more });

  it('contract diff: items of streams are compared as responses are', () => {
    for (const type of ['text/event-stream', 'application/jsonl']) {
      assert.deepEqual(changes(stream(object({ n: text }), type), stream(object({ n: text }), type)), []);
      const found = changes(stream(object({ n: text }, ['n']), type), stream(object({ n: text }), type));
      assert.equal(found.length, 1);
      assert.match(
        found[0] ?? '',
        /^breaking response-member-optional: an item of the response 200 \(.*\).*n/,
      );
    }
  });

  it('contract diff: a reply that becomes a stream is breaking', () => {
    assert.deepEqual(changes(response(text), stream(text)), [
      'breaking response-media-type-removed: the response 200 (application/json) was removed',
      'info response-media-type-added: the response 200 (text/event-stream) is new',
    ]);
  });

  it('contract diff: resumable streams and limits of uploads', () => {
    assert.deepEqual(changes(stream(text, undefined, { 'x-resumable': true }), stream(text)), [
      'warning stream-resumable-changed: the stream ends when a worker is lost',
    ]);
    assert.deepEqual(
      changes(uploadOf({ 'x-upload-limits': { bytes: 9 } }), uploadOf({ 'x-upload-limits': { bytes: 5 } })),
      ['breaking request-upload-limit-lowered: the upload limit of bytes is lowered from 9 to 5'],
    );
    assert.deepEqual(changes(body({}), uploadOf({})), [
      'info request-body-stream-changed: the body is now sent to workers while it arrives',
    ]);
  });

  it('contract diff: asynchronous operations', () => {
    const [never, optional, required] = [get(), get({ 'x-async': true }), get({ 'x-async': 'required' })];
    assert.deepEqual(changes(never, optional), [
      'info async-added: callers may ask for an asynchronous reply',
    ]);
    assert.deepEqual(changes(optional, never), [
      'warning async-removed: callers can no longer ask for an asynchronous reply',
    ]);
    assert.deepEqual(changes(optional, required), [
      'breaking async-required: it always answers 202, and the reply follows later',
    ]);
    assert.deepEqual(changes(required, optional), [
      'breaking async-not-required: it answers with its reply, and no longer with 202',
    ]);
  });
});
