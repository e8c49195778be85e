/** Responses of `zeromq-gateway mock` that are streams. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MockResponses } from '../../../src/cli/mock/responses.ts';
import { chunksOf, MockRequester, postStream } from '../../../src/cli/mock/stream-replies.ts';
import type { ReplyMessage } from '../../../src/core/messages/message.ts';
import type { HookEvent } from '../../../src/gateway/index.ts';
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

describe('mock: sending of streams', () => {
  const texts = (chunks: readonly Buffer[]): string[] => chunks.map(String);

  it('mock: a stream is sent item by item, and bytes in chunks of 64 KiB', () => {
    const events = Buffer.from('data: 1\n\ndata: a\ndata: b\n\nrest');
    assert.deepEqual(texts(chunksOf(events, 'events')), ['data: 1\n\n', 'data: a\ndata: b\n\n', 'rest']);
    assert.deepEqual(texts(chunksOf(Buffer.from('1\n2\n'), 'lines')), ['1\n', '2\n']);
    const sizes = chunksOf(Buffer.alloc(150_000), 'bytes').map(({ length }) => length);
    assert.deepEqual(sizes, [65_536, 65_536, 18_928]);
    assert.deepEqual(chunksOf(Buffer.alloc(0), 'bytes'), []);
  });

  async function send(window: number | undefined, method?: 'HEAD') {
    const event = { name: 'a', data: undefined, timeout: 1, idempotent: true } as unknown as HookEvent;
    const headers = { 'content-type': 'application/x-ndjson', 'x-a': 'b' };
    const data = Buffer.from('1\n2\n3\n');
    postStream(event, { status: 201, headers, data, stream: 'lines' }, 'lines');
    const parts: ReplyMessage[] = [];
    const stream = window === undefined ? undefined : { window, upload: false, onWindow: () => undefined };
    const last = await new Promise<ReplyMessage>((resolve) => {
      const inFlight = new MockRequester(0).request(
        {
          eventName: event.name,
          body: Buffer.from(JSON.stringify(event.data)),
          timeout: 1000,
          idempotent: true,
          ...(method && { extras: { method } }),
          ...(stream && {
            stream: {
              ...stream,
              onChunk: (reply) => {
                parts.push(reply);
                // The window is used up with each item.
                setImmediate(() => inFlight.grant(2));
              },
            },
          }),
        },
        resolve,
      );
    });
    return { parts, last };
  }

  it('mock: each item is a chunk, sent while the window is open; the first has the head', async () => {
    const { parts, last } = await send(1);
    assert.deepEqual(
      parts.map(({ body, status, contentType }) => [String(body), status, contentType]),
      [
        ['1\n', 201, 'application/x-ndjson'],
        ['2\n', 200, ''],
        ['3\n', 200, ''],
      ],
    );
    assert.deepEqual(JSON.parse(String(parts[0]?.extras)), { headers: { 'x-a': 'b' } });
    assert.deepEqual([last.more, last.body.length], [false, 0]);
  });

  it('mock: a caller without streams gets the whole body, and HEAD none', async () => {
    const { last } = await send(undefined);
    assert.deepEqual([String(last.body), last.status], ['1\n2\n3\n', 201]);
    const head = await send(100, 'HEAD');
    assert.deepEqual([head.parts.length, head.last.status, head.last.body.length], [0, 201, 0]);
  });
});
