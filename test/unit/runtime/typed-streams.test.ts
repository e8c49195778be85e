/**
 * Types of handlers with streams. The compiler checks this file: each `@ts-expect-error` is a
 * mistake that it must find.
 */
import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { expectTypeOf } from 'expect-type';
import {
  bytes,
  type CallsOf,
  type ContractHandlers,
  defineContract,
  defineWorker,
  type EventData,
  type EventItem,
  event,
  type FormFile,
  file,
  formFile,
  type HandlerContext,
  type HandlersOf,
  Joi,
  ndjson,
  reply,
  sse,
  stream,
  upload,
} from 'zeromq-gateway';
import { z } from 'zod';

interface Tick {
  n: number;
  tags?: string[];
}

const contract = defineContract({
  name: 'streams',
  events: {
    ticks: { replies: { 200: sse(Joi.object<Tick>({ n: Joi.number() })), 404: 'No such clock' } },
    rows: { replies: { 200: ndjson(z.object({ id: z.number() })), 204: null } },
    texts: { replies: { 200: sse(z.string()) } },
    image: { replies: { 200: bytes('image/png', { ranges: true }) } },
    free: { replies: { 200: sse() } },
    either: { replies: { 200: z.object({ id: z.number() }), 201: ndjson(z.object({ id: z.number() })) } },
    add: { method: 'POST', path: '/x', body: upload(), data: z.object({ name: z.string() }) },
    form: { data: Joi.object<{ photo: FormFile }>({ photo: formFile() }) },
  },
});
type Events = typeof contract.events;
type Of<Name extends keyof Events> = HandlersOf<Events>[Name];

/** Never called: items that the contract does not have. */
export function wrongItems(): void {
  // @ts-expect-error the number of a tick is a number
  const text: Of<'ticks'> = async function* () {
    yield { n: 'one' };
  };
  // @ts-expect-error the data of an event is a tick
  const data: Of<'ticks'> = async function* () {
    yield event({ data: { m: 1 } });
  };
  // @ts-expect-error an array is a JSON value
  const list: Of<'ticks'> = () => [{ n: 1 }];
  // @ts-expect-error a tick alone is not a stream
  const one: Of<'ticks'> = () => ({ n: 1 });
  // @ts-expect-error lines are values, not events
  const line: Of<'rows'> = async function* () {
    yield event({ data: { id: 1 } });
  };
  // @ts-expect-error bytes are not numbers
  const numbers: Of<'image'> = function* () {
    yield 1;
  };
  // @ts-expect-error the reply 200 is a stream
  const whole: Of<'rows'> = () => reply(200, { id: 1 });
  // @ts-expect-error the reply 200 is a value, and the items of 201 have an id
  const other: Of<'either'> = async function* () {
    yield { no: 1 };
  };
  // @ts-expect-error the items of a stream with a status are ticks, too
  const withStatus: Of<'ticks'> = () => stream([{ m: 1 }]);
  // @ts-expect-error bytes are not numbers
  const withNumbers: Of<'image'> = () => stream([1]);
  // @ts-expect-error the contract has no 201
  const created: Of<'ticks'> = () => stream([{ n: 1 }], { status: 201 });
  // @ts-expect-error resumable needs ids, which lines do not have
  ndjson(z.object({}), { resumable: true });
  // @ts-expect-error the body of an event is an upload
  defineContract({ name: 'x', events: { a: { method: 'POST', path: '/x', body: z.object({}) } } });
  // @ts-expect-error the number of a tick is a number
  defineWorker({ contract: one200, handlers: { ticks: textTicks } });
  void [text, data, list, one, line, numbers, whole, other, withStatus, withNumbers, created];
}

async function* textTicks() {
  yield { n: '' };
}

const one200 = defineContract({
  name: 'one',
  events: { ticks: { replies: { 200: sse(z.object({ n: z.number() })) } } },
});

/** Never called: streams that fit the contract. */
export function rightItems(): void {
  const ticks: Of<'ticks'>[] = [
    async function* () {
      yield { n: 1 };
    },
    async function* (_data: unknown, { signal }: HandlerContext) {
      while (!signal.aborted) yield event({ id: '1', data: { n: 1, tags: ['a'] } });
      yield event({ id: '2' });
    },
    function* () {
      yield { n: 1 };
    },
    () => Readable.from([{ n: 1 }]),
    () => reply(404, undefined),
    () => stream([{ n: 1 }, event({ data: { n: 2 } })], { headers: { 'x-a': 'b' } }),
  ];
  const rows: Of<'rows'>[] = [
    async function* () {
      yield { id: 1 };
    },
    () => undefined,
    () => reply(204),
  ];
  const texts: Of<'texts'> = async function* () {
    yield 'one';
  };
  const image: Of<'image'>[] = [
    () => createReadStream('image.png'),
    () => Buffer.from([1]),
    () => new Blob(['x']).stream(),
    (_data, context) => file('image.png', context),
    () => stream(createReadStream('image.png'), { headers: { 'content-length': '5' } }),
    async function* () {
      yield Buffer.from([1]);
      yield 'text';
    },
    () => reply(206, Buffer.from([1]), { 'content-range': 'bytes 0-0/5' }),
  ];
  const free: Of<'free'> = async function* () {
    yield 1;
    yield event({ data: 'anything' });
  };
  const either: Of<'either'>[] = [
    () => ({ id: 1 }),
    async function* () {
      yield { id: 1 };
    },
  ];
  void [ticks, rows, texts, image, free, either];
}

describe('typed streams', () => {
  it('types: the items of a streamed reply, and the data of its callers', () => {
    expectTypeOf<EventItem<Events['ticks']>>().toEqualTypeOf<Tick>();
    expectTypeOf<EventItem<Events['rows']>>().toEqualTypeOf<{ id: number }>();
    expectTypeOf<EventItem<Events['image']>>().toEqualTypeOf<Uint8Array>();
    expectTypeOf<EventItem<Events['free']>>().toBeUnknown();
    expectTypeOf<EventItem<Events['add']>>().toBeNever();
    expectTypeOf<CallsOf<Events>['ticks']['item']>().toEqualTypeOf<{ n: number; tags?: string[] }>();
    expectTypeOf<CallsOf<Events>['add']['item']>().toBeNever();
    expectTypeOf<CallsOf<Events>['ticks']['reply']>().toBeUnknown();
    expectTypeOf<EventData<Events['add']>>().toEqualTypeOf<{ name: string }>();
    expectTypeOf<EventData<Events['form']>['photo']['content']>().toEqualTypeOf<Buffer>();
    expectTypeOf<ContractHandlers<Events>['add']>().toBeFunction();
    assert.deepEqual(contract.eventNames.length, 8);
  });
});
