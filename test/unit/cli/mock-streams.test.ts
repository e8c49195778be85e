/** Responses of `zeromq-gateway mock` that are streams. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MockResponses } from '../../../src/cli/mock/responses.ts';
import { ApiRegistry } from '../../../src/openapi/index.ts';

const ITEM = {
  type: 'object',
  required: ['n'],
  properties: { n: { type: 'integer', minimum: 1, maximum: 9 } },
  additionalProperties: false,
};

/** Returns the body of the response with these media types. */
function bodyOf(media: object, preferences: object = {}): string {
  const registry = new ApiRegistry();
  const operation = { operationId: 'a', responses: { 200: { description: '', content: media } } };
  registry.put('api', { openapi: '3.2.0', paths: { '/a': { get: operation } } });
  const mock = new MockResponses(registry.snapshot(), 7);
  const all = { code: undefined, example: undefined, dynamic: false, ...preferences };
  const { data } = mock.response({ method: 'GET', path: '/a' }, all, undefined);
  assert.ok(Buffer.isBuffer(data));
  return data.toString();
}

describe('mock: streams', () => {
  it('mock: server-sent events have samples of their data', () => {
    const text = bodyOf({ 'text/event-stream': { itemSchema: ITEM } });
    assert.match(text, /^(data: \{"n":[1-9]\}\n\n){3}$/);
  });

  it('mock: a schema of whole events gives their fields', () => {
    const schema = {
      type: 'object',
      required: ['data', 'event'],
      properties: { data: { const: 'a\nb' }, event: { const: 'tick' } },
    };
    assert.equal(
      bodyOf({ 'text/event-stream': { itemSchema: schema } }),
      'event: tick\ndata: a\ndata: b\n\n'.repeat(3),
    );
  });

  it('mock: lines of JSON and JSON text sequences have samples of each value', () => {
    assert.match(bodyOf({ 'application/jsonl': { itemSchema: ITEM } }), /^(\{"n":[1-9]\}\n){3}$/);
    assert.match(bodyOf({ 'application/json-seq': { itemSchema: ITEM } }), /^(\u001e\{"n":[1-9]\}\n){3}$/);
  });

  it('mock: an example has the items, or the text of the stream', () => {
    const items = [{ n: 1 }, { n: 2 }];
    assert.equal(bodyOf({ 'application/jsonl': { itemSchema: ITEM, example: items } }), '{"n":1}\n{"n":2}\n');
    const examples = { whole: { value: 'data: x\n\n' }, list: { value: [{ n: 5 }] } };
    const media = { 'text/event-stream': { itemSchema: ITEM, examples } };
    assert.equal(bodyOf(media), 'data: x\n\n');
    assert.equal(bodyOf(media, { example: 'list' }), 'data: {"n":5}\n\n');
  });

  it('mock: dynamic samples differ from one response to the next', () => {
    const media = { 'application/jsonl': { itemSchema: { type: 'integer', minimum: 0 } } };
    assert.match(bodyOf(media, { dynamic: true }), /^(\d+\n){3}$/);
  });
});
