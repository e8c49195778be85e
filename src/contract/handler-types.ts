/**
 * Types of handlers and callers that follow from a contract.
 */
import type { EventDefinition, EventDefinitions } from './definition.ts';
import type { ContractSchema, InputOf, OutputOf } from './standard-schema.ts';
import type { StreamedReply } from './stream-replies.ts';

/** Type of the data for the handler of an event. */
export type EventData<Event extends EventDefinition> = Event['data'] extends ContractSchema
  ? OutputOf<Event['data']>
  : unknown;

/** Type of the data that callers of an event send, before the schema converts it. */
export type EventInput<Event extends EventDefinition> = Event['data'] extends ContractSchema
  ? InputOf<Event['data']>
  : unknown;

type SchemaOf<One> = One extends ContractSchema
  ? One
  : One extends { readonly data: infer Data }
    ? Data
    : undefined;

/** Statuses without a body (RFC 9110, 15.3.5 and 15.3.6). */
type Bodiless = 204 | 205 | '204' | '205';

/** The statuses of replies that report success with a body; `default` if none is declared. */
type Successful<Replies> =
  Successes<Replies> extends infer Found
    ? [Found] extends [never]
      ? Extract<keyof Replies, 'default'>
      : Exclude<Found & keyof Replies, Bodiless>
    : never;
type Successes<Replies> = {
  [Status in keyof Replies]: `${Status & (string | number)}` extends `2${string}` ? Status : never;
}[keyof Replies];

type Replies<Event extends EventDefinition> = Event['replies'] extends object
  ? Successful<Event['replies']> extends infer Status extends keyof Event['replies']
    ? Event['replies'][Status]
    : never
  : never;

/** What a handler returns for a reply, apart from `reply()`. */
type ResultOf<One> =
  One extends StreamedReply<infer Format, infer Schema>
    ? StreamResult<Format, Schema>
    : SchemaOf<One> extends infer Schema extends ContractSchema
      ? InputOf<Schema>
      : unknown;

/**
 * Type of the result of the handler of an event, apart from `reply()` and `stream()`; unknown if the
 * contract does not define it.
 */
export type EventReply<Event extends EventDefinition> = [Replies<Event>] extends [never]
  ? unknown
  : ResultOf<Replies<Event>> | (Extract<keyof Event['replies'], Bodiless> extends never ? never : undefined);

/**
 * Type of the items of the streamed reply of an event; never if its reply is not a stream.
 */
export type EventItem<Event extends EventDefinition> =
  Extract<Replies<Event>, StreamedReply> extends infer One
    ? One extends StreamedReply<infer Format, infer Schema>
      ? ItemOf<Format, Schema>
      : never
    : never;

type ItemOf<Format, Schema> = Format extends 'bytes'
  ? Uint8Array
  : ContractSchema extends Schema
    ? unknown
    : Schema extends ContractSchema
      ? InputOf<Schema>
      : unknown;

/** A result of `event()`: its data is an item. */
interface EventLike<Data> {
  readonly fields: { readonly data?: Data | undefined };
}

/** What a handler yields: for server-sent events, items or events with items; strings count as bytes. */
type Yielded<Format, Schema> = Format extends 'bytes'
  ? Uint8Array | string
  : Format extends 'events'
    ? ReadonlyData<ItemOf<Format, Schema>> | EventLike<ReadonlyData<ItemOf<Format, Schema>>>
    : ReadonlyData<ItemOf<Format, Schema>>;

/** What the runtime reads a stream from. An array is a JSON value. */
type SourceOf<Item> = AsyncIterable<Item> | (Iterable<Item> & { next: unknown });

/** What `stream()` takes. */
type StreamSource<Item> = AsyncIterable<Item> | Iterable<Item>;

type StreamResult<Format, Schema> =
  | SourceOf<Yielded<Format, Schema>>
  | (Format extends 'bytes' ? Uint8Array | ReadableStream<Uint8Array> : never);

type Digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
type ToNumber<Text> = Text extends `${infer Value extends number}` ? Value : never;

/** The numbers of the statuses that a key of `replies` stands for. */
type StatusesOf<Key, Others> = `${Key & (string | number)}` extends infer Text
  ? Text extends 'default'
    ? Exclude<
        ToNumber<`${1 | 2 | 3 | 4 | 5}${Digit}${Digit}`>,
        RangesOf<Others> | ToNumber<`${Others & (string | number)}`>
      >
    : Text extends `${infer First extends number}XX`
      ? Exclude<ToNumber<`${First}${Digit}${Digit}`>, ToNumber<`${Others & (string | number)}`>>
      : ToNumber<Text>
  : never;
type RangesOf<Keys> = Keys extends `${infer First extends number}XX`
  ? ToNumber<`${First}${Digit}${Digit}`>
  : never;

/** Data that may be constant, so that `reply(200, { state: 'open' })` keeps the type of its text. */
type ReadonlyData<Data> = unknown extends Data
  ? Data
  : Data extends string | number | boolean | bigint | null | undefined | Date | Uint8Array
    ? Data
    : { readonly [Key in keyof Data]: ReadonlyData<Data[Key]> };

/** The data of a reply: a stream, or a body of another media type, which may be bytes. */
type DataOf<One> =
  One extends StreamedReply<infer Format, infer Schema>
    ?
        | { readonly source: StreamSource<Yielded<Format, Schema>> }
        | (Format extends 'bytes' ? Uint8Array | string | undefined : never)
    : SchemaOf<One> extends infer Schema extends ContractSchema
      ? ReadonlyData<InputOf<Schema>> | (One extends { readonly contentType: string } ? Uint8Array : never)
      : unknown;

/** Replies to requests for a part of bytes (RFC 9110, 15.3.7), or for bytes that have not changed. */
type PartialOf<Key, One> = One extends { readonly stream: 'bytes' }
  ? `${Key & (string | number)}` extends '200'
    ? 206 | 304
    : never
  : never;

/**
 * Type of the replies with a status that the handler of an event may return: one for each of its
 * `replies`; any if the contract does not define them.
 *
 * @typeParam Whole type of a reply with any status.
 */
export type EventReplies<
  Event extends EventDefinition,
  Whole,
> = Event['replies'] extends infer Declared extends object
  ? string extends keyof Declared
    ? Whole
    : {
        [Key in keyof Declared]: Whole & {
          readonly status: StatusesOf<Key, Exclude<keyof Declared, Key>> | PartialOf<Key, Declared[Key]>;
          readonly data: DataOf<Declared[Key]>;
        };
      }[keyof Declared]
  : Whole;

type Result<Event extends EventDefinition, Whole> = EventReply<Event> | EventReplies<Event, Whole>;

/**
 * Types of the handlers of a contract.
 * @typeParam Context second argument of the handlers.
 * @typeParam Whole type of a reply with a status.
 */
export type ContractHandlers<Events extends EventDefinitions, Context = unknown, Whole = never> = {
  readonly [Name in keyof Events]: (
    data: EventData<NonNullable<Events[Name]>>,
    context: Context,
  ) => Result<NonNullable<Events[Name]>, Whole> | Promise<Result<NonNullable<Events[Name]>, Whole>>;
};

/** Type of a value after it was written as JSON and read again: a Date is then a string. */
export type Serialized<Type> = unknown extends Type
  ? Type
  : Type extends { toJSON(): infer Written }
    ? Written
    : Type extends bigint
      ? number
      : Type extends object
        ? { [Key in keyof Type]: Serialized<Type[Key]> }
        : Type;
