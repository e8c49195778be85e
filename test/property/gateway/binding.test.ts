/** Tests that values serialised by the rules of OpenAPI arrive unchanged, and no others do. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Binder } from '../../../src/gateway/binding/binder.ts';
import { parseTemplate } from '../../../src/gateway/paths/path-pattern.ts';
import { Validators } from '../../../src/gateway/validation/validate.ts';
import { ApiRegistry } from '../../../src/openapi/index.ts';
import { documentOf, jsonBody, parameter } from '../../helpers/gateway/api.ts';
import fc from '../../helpers/property.ts';
import { jsonNumber } from '../json-texts.ts';

type Style = 'form' | 'spaceDelimited' | 'pipeDelimited' | 'deepObject';

/** Creates the binder of one operation. */
function binderOf(method: string, operation: Record<string, unknown>): Binder {
  const registry = new ApiRegistry();
  const snapshot = registry.put('test', documentOf({ '/x/{id}': { [method]: operation } }));
  const [first] = snapshot.operations;
  assert.ok(first);
  return new Binder({
    operation: first,
    document: snapshot.document,
    validators: new Validators(snapshot),
    template: parseTemplate(first.path),
    ignoredQuery: new Set(),
    maxDepth: 100,
  });
}

const id = parameter('id', 'path', { type: 'string' });

/** Returns the event data of a query, or undefined if it is rejected. */
function bindQuery(binder: Binder, query: string): unknown {
  const bound = binder.bind({ segments: ['x', 'i'], query, headers: {} }, '', undefined);
  return Array.isArray(bound) ? undefined : (JSON.parse(bound.body.toString()) as { p?: unknown }).p;
}

/** Returns the JSON text of the parameter `p`, or undefined if it is rejected. */
function textOfQuery(binder: Binder, query: string): string | undefined {
  const bound = binder.bind({ segments: ['x', 'i'], query, headers: {} }, '', undefined);
  return Array.isArray(bound) ? undefined : /"p":(.*)\}$/.exec(bound.body.toString())?.[1];
}

/** Texts with every character that has a meaning in URLs. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }).filter((value) => !/\p{Surrogate}/u.test(value)),
  fc.string({ unit: fc.constantFrom(...'a,|; &=+%.[]#?/"\\é€😀') }),
);
const encode = encodeURIComponent;
const queryOf = (schema: unknown, style: Style, explode: boolean): Binder =>
  binderOf('get', { parameters: [id, parameter('p', 'query', schema, { style, explode })] });

describe('parameters', () => {
  it('parameters: transport any text', () => {
    const binder = queryOf({ type: 'string' }, 'form', true);
    fc.assert(fc.property(text, (value) => assert.equal(bindQuery(binder, `p=${encode(value)}`), value)));
  });

  const separators: [style: Style, separator: string][] = [
    ['form', ','],
    ['spaceDelimited', '%20'],
    ['pipeDelimited', '|'],
  ];
  for (const [style, separator] of separators) {
    // A space or bar in an item is encoded like the separator, so the two cannot be distinguished.
    const own = style === 'spaceDelimited' ? ' ' : style === 'pipeDelimited' ? '|' : '';
    const item = own === '' ? text : text.map((value) => value.replaceAll(own, ''));
    it(`parameters: transport lists of strings in the style ${style}`, () => {
      const exploded = queryOf({ type: 'array', items: { type: 'string' } }, style, true);
      const joined = queryOf({ type: 'array', items: { type: 'string' } }, style, false);
      fc.assert(
        fc.property(fc.array(item, { minLength: 1, maxLength: 5 }), (list) => {
          assert.deepEqual(bindQuery(exploded, list.map((value) => `p=${encode(value)}`).join('&')), list);
          if (list.length === 1 && list[0] === '') return;
          assert.deepEqual(bindQuery(joined, `p=${list.map(encode).join(separator)}`), list);
        }),
      );
    });
  }

  it('parameters: transport objects in the style deepObject', () => {
    const binder = queryOf({ type: 'object' }, 'deepObject', true);
    const name = text.filter((value) => value !== '' && !/[[\]]/.test(value));
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(name, text), { selector: ([key]) => key, minLength: 1 }),
        (members) => {
          const query = members.map(([key, value]) => `p[${encode(key)}]=${encode(value)}`).join('&');
          assert.deepEqual(bindQuery(binder, query), JSON.parse(JSON.stringify(Object.fromEntries(members))));
        },
      ),
    );
  });

  it('parameters: transport numbers exactly or reject them', () => {
    const binders = {
      integer: queryOf({ type: 'integer' }, 'form', true),
      number: queryOf({ type: 'number' }, 'form', true),
      boolean: queryOf({ type: 'boolean' }, 'form', true),
    };
    const written = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'0123456789-+.eExX _truefalsn') }),
      fc.double().map(String),
      fc.bigInt().map(String),
      jsonNumber,
    );
    fc.assert(
      fc.property(written, (given) => {
        for (const kind of ['integer', 'number'] as const) {
          const number = textOfQuery(binders[kind], `p=${encode(given)}`);
          if (number !== undefined) assert.equal(number, given);
        }
        const boolean = bindQuery(binders.boolean, `p=${encode(given)}`);
        if (boolean !== undefined) assert.equal(given, JSON.stringify(boolean));
      }),
    );
  });

  it('parameters: never throw for any query', () => {
    const schemas = [
      { type: 'object' },
      { type: 'array', items: { type: 'integer' } },
      { type: ['string', 'array'] },
    ];
    const styles: Style[] = ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'];
    const binders = schemas.flatMap((schema) =>
      styles.flatMap((style) => [true, false].map((explode) => queryOf(schema, style, explode))),
    );
    const query = fc
      .array(fc.constantFrom('p', '[', ']', '=', '&', ',', '%', '%2', '%20', '+', '|', 'a', '1', '__proto__'))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(query, (given) => {
        for (const binder of binders) bindQuery(binder, given);
      }),
    );
  });
});

describe('bodies', () => {
  const flat = binderOf('put', { parameters: [id], ...jsonBody({ type: 'object' }) });
  const nested = binderOf('put', { parameters: [id], 'x-event-body': 'nested', ...jsonBody(true) });
  const bind = (binder: Binder, body: string): unknown => {
    const source = { segments: ['x', 'i'], query: '', headers: {} };
    const bound = binder.bind(source, 'application/json', Buffer.from(body));
    return Array.isArray(bound) ? bound : JSON.parse(bound.body.toString());
  };
  const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\t') });

  it('bodies: arrive next to the parameters or nested, as declared', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), space, space, (value, before, after) => {
        const body = before + JSON.stringify(value, undefined, before.length) + after;
        const sent = JSON.parse(body) as unknown;
        assert.deepEqual(bind(nested, body), { id: 'i', body: sent });
        if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.hasOwn(value, 'id'))
          return;
        assert.deepEqual(
          bind(flat, body),
          JSON.parse(`{"id":"i",${JSON.stringify(sent).slice(1)}`.replace(/,\}$/, '}')),
        );
      }),
    );
  });

  it('bodies: never throw for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const source = { segments: ['x', 'i'], query: '', headers: {} };
        const bound = flat.bind(source, 'application/json', Buffer.from(bytes));
        if (!Array.isArray(bound)) assert.doesNotThrow(() => JSON.parse(bound.body.toString()));
      }),
    );
  });
});
