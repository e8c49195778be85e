/**
 * Streams of random contracts: what the contract declares is what gateways read from its document,
 * in both versions of OpenAPI.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Joi from 'joi';
import {
  bytes,
  defineContract,
  type EventDefinition,
  ndjson,
  type StreamedReply,
  sse,
  streamRulesOf,
  type Upload,
  upload,
} from '../../src/contract/index.ts';
import {
  ApiRegistry,
  asVersion32,
  itemsOf,
  type Operation,
  SchemaCompiler,
} from '../../src/openapi/index.ts';
import fc, { runs } from '../helpers/property.ts';

const RUNS = runs(150);

const text = fc.constantFrom('a', 'b', 'note');
const items = fc.constantFrom(
  Joi.object({ n: Joi.number().required() }),
  Joi.string(),
  Joi.array().items(Joi.boolean()),
  Joi.alternatives(Joi.string().valid('x'), Joi.object({ data: Joi.string().required() })),
  Joi.object({ name: Joi.string(), children: Joi.array().items(Joi.link('#node')) }).id('node'),
  undefined,
);
const VALUES: readonly unknown[] = [
  { n: 1 },
  'x',
  [true],
  { data: 'x' },
  { name: 'a', children: [] },
  7,
  null,
];

const replies: fc.Arbitrary<StreamedReply> = fc.oneof(
  fc.tuple(items, fc.boolean()).map(([schema, resumable]) => sse(schema, { resumable })),
  fc
    .tuple(items, fc.constantFrom('application/x-ndjson' as const, 'application/jsonl' as const))
    .map(([schema, contentType]) => ndjson(schema, { contentType })),
  fc
    .tuple(
      fc.constantFrom('image/png', 'text/csv', 'video/*', 'application/json', 'application/octet-stream'),
      fc.boolean(),
    )
    .map(([type, ranges]) => bytes(type, { ranges })),
);

const count = fc.option(fc.integer({ min: 1, max: 1e9 }), { nil: undefined });
const uploads: fc.Arbitrary<Upload> = fc.oneof(
  fc
    .record({ contentType: fc.constantFrom('image/png', 'application/x-tar'), maxBytes: count })
    .map(defined)
    .map(upload),
  fc
    .record({
      files: fc.dictionary(text, fc.record({ multiple: fc.boolean() })),
      maxBytes: count,
      maxFiles: count,
      maxFields: count,
    })
    .map(defined)
    .map(upload),
);

function defined<Options extends object>(options: Options): { [Name in keyof Options]: never } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as never;
}

/** What an operation says about streams, apart from pointers. */
function shapeOf({
  streams,
  streamsReply,
  resumable,
  streamsBody,
  uploadLimits,
  bodies,
  bodyMode,
}: Operation) {
  return {
    streams: streams.map((stream) => [stream.status, stream.mediaType, stream.format, itemsOf(stream)]),
    streamsReply,
    resumable,
    streamsBody,
    uploadLimits,
    bodies: bodies.map(({ mediaType, schema, encoding }) => [mediaType, schema, encoding]),
    bodyMode,
  };
}

describe('streams of random contracts', () => {
  it('contract, document and model agree, in both versions of OpenAPI', () => {
    fc.assert(
      fc.property(replies, fc.option(uploads, { nil: undefined }), (reply, body) => {
        const event: EventDefinition = {
          method: 'POST',
          path: '/x',
          replies: { 200: reply },
          ...(body === undefined ? {} : { body }),
        };
        const contract = defineContract({ name: 'test', events: { e: event } });
        const snapshot = new ApiRegistry().put('test', contract.fragment(), { kind: 'worker' });
        const [operation] = snapshot.operations;
        assert.ok(operation);
        const [stream] = operation.streams;
        assert.ok(stream);
        assert.deepEqual([stream.mediaType, stream.format], [reply.contentType, reply.stream]);
        assert.deepEqual([operation.streamsReply, operation.resumable], [true, reply.resumable]);
        assert.equal(operation.streams.length, reply.ranges ? 2 : 1);
        assert.equal(operation.streamsBody, body !== undefined);
        const { maxBytes, maxFiles, maxFields } = body ?? {};
        const limits = defined({ bytes: maxBytes, files: maxFiles, fields: maxFields });
        assert.deepEqual(operation.uploadLimits, limits);
        assert.deepEqual(
          operation.bodies.map(({ mediaType }) => mediaType),
          body?.contentTypes ?? [],
        );
        const later = asVersion32(snapshot.document);
        const again = new ApiRegistry().put('test', later, { kind: 'worker' });
        assert.deepEqual(again.operations.map(shapeOf), snapshot.operations.map(shapeOf));
      }),
      { numRuns: RUNS },
    );
  });

  it('the gateway accepts each item that the worker accepts', () => {
    let accepted = 0;
    fc.assert(
      fc.property(replies, (reply) => {
        if (reply.stream === 'bytes') return;
        const contract = defineContract({
          name: 'test',
          events: { e: { method: 'GET', path: '/x', replies: { 200: reply } } },
        });
        const snapshot = new ApiRegistry().put('test', contract.fragment(), { kind: 'worker' });
        const [stream] = snapshot.operations[0]?.streams ?? [];
        const compiler = new SchemaCompiler(snapshot);
        const pointer = stream?.dataPointer ?? stream?.itemPointer;
        const check = streamRulesOf(contract)?.get('e')?.check;
        for (const value of VALUES) {
          if (check?.(value) !== undefined) continue;
          accepted += 1;
          // The data of an event that is a text is not in a text.
          const isText: boolean = reply.stream === 'events' && stream?.dataPointer === undefined;
          const item: unknown = isText ? { data: value } : value;
          if (pointer !== undefined)
            assert.equal(compiler.compile(pointer)(item), true, JSON.stringify(value));
        }
      }),
      { numRuns: RUNS },
    );
    assert.ok(accepted > RUNS / 4, `only ${accepted} items were accepted`);
  });
});
