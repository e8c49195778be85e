/** Checks of the items of streams against the document. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ReplyRules } from '../../../../src/gateway/routing/reply-rules.ts';
import { ItemCheck } from '../../../../src/gateway/streams/item-check.ts';
import { Validators } from '../../../../src/gateway/validation/validate.ts';
import { ApiRegistry } from '../../../../src/openapi/index.ts';

const ITEM = { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } };

function rulesOf(content: object): ReplyRules {
  const operation = { operationId: 'a', responses: { 200: { description: '', content } } };
  const snapshot = new ApiRegistry().put('api', { openapi: '3.2.0', paths: { '/a': { get: operation } } });
  const [read] = snapshot.operations;
  assert.ok(read);
  return new ReplyRules(read, snapshot.document, new Validators(snapshot));
}

/** Returns what is wrong with a stream of server-sent events. */
function problemsOf(itemSchema: unknown, text: string): string[] {
  const rule = rulesOf({ 'text/event-stream': { itemSchema } }).itemRule(200, 'text/event-stream');
  assert.ok(rule);
  return new ItemCheck('events', rule)
    .end(Buffer.from(text))
    .map(({ pointer, detail }) => `${pointer} ${detail}`);
}

describe('checks of items: server-sent events', () => {
  it('items: a schema of the data applies to the JSON in them', () => {
    assert.deepEqual(problemsOf(ITEM, 'data: {"n":1}\n\nid: 5\nevent: x\ndata: {"n":\ndata: 2}\n\n'), []);
    assert.deepEqual(problemsOf(ITEM, 'data: {"n":1}\n\ndata: {"n":"x"}\n\ndata: text\n\n'), [
      '/items/1/n must be an integer, not a string',
      '/items/2 is not JSON',
    ]);
  });

  it('items: a schema without required members does not hide a wrong one', () => {
    const open = { type: 'object', properties: { n: { type: 'integer' } } };
    assert.deepEqual(problemsOf(open, 'data: {"n":"x"}\n\n'), [
      '/items/0/n must be an integer, not a string',
    ]);
  });

  it('items: texts are the data themselves', () => {
    const text = { type: 'string', maxLength: 3 };
    assert.deepEqual(problemsOf(text, 'data: 123\n\ndata: abc\n\n'), []);
    assert.equal(problemsOf(text, 'data: abcd\n\n').length, 1);
    const either = { anyOf: [text, ITEM] };
    assert.deepEqual(problemsOf(either, 'data: abc\n\ndata: {"n":1}\n\n'), []);
    assert.equal(problemsOf(either, 'data: abcd\n\n').length, 1);
  });

  it('items: a schema of the event applies to its name and to the JSON in its data', () => {
    const event = {
      type: 'object',
      required: ['event', 'data'],
      properties: {
        event: { const: 'tick' },
        data: { type: 'string', contentMediaType: 'application/json', contentSchema: ITEM },
      },
    };
    assert.deepEqual(problemsOf(event, 'event: tick\ndata: {"n":1}\n\n'), []);
    assert.equal(problemsOf(event, 'event: tack\ndata: {"n":1}\n\n').length, 1);
    assert.equal(problemsOf(event, 'event: tick\ndata: {"n":1.5}\n\n').length, 1);
  });

  it('items: a schema may describe the data of an event as JSON', () => {
    const event = { type: 'object', properties: { event: { type: 'string' }, data: ITEM } };
    assert.deepEqual(problemsOf(event, 'data: {"n":1}\n\n'), []);
    assert.equal(problemsOf(event, 'data: {"m":1}\n\n').length, 1);
  });
});

describe('rules of streamed replies', () => {
  it('replies: a part of declared bytes, and bytes that have not changed, are covered by 200', () => {
    const bytes = rulesOf({ 'image/png': {} });
    assert.deepEqual(
      [206, 304, 201].map((status) => bytes.rule(status, 'image/png').mismatch),
      [undefined, undefined, ['200']],
    );
    assert.deepEqual(rulesOf({ 'application/json': {} }).rule(206, 'application/json').mismatch, ['200']);
  });

  it('replies: a stream without an item schema has no rule', () => {
    assert.equal(rulesOf({ 'application/jsonl': {} }).itemRule(200, 'application/jsonl'), undefined);
    assert.equal(rulesOf({ 'image/png': {} }).itemRule(200, 'image/png'), undefined);
  });
});
