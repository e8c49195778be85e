/**
 * Types of contract definitions.
 */
import type { OpenAPIV3_1 } from 'openapi-types';
import type { ContractSchema, InputOf, OutputOf } from './standard-schema.ts';

/** HTTP methods for events. */
export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

/**
 * Source of a field of the event data in HTTP. `header:X-Name` and the like set the name in HTTP,
 * which is otherwise the name of the field. `body` is only for a field named `body`, which takes
 * the whole body.
 */
export type Placement =
  | 'path'
  | 'query'
  | 'header'
  | 'cookie'
  | 'body'
  | `query:${string}`
  | `header:${string}`
  | `cookie:${string}`;

/** Security schemes by name, with the required scopes; any one entry of the list is sufficient. */
export type SecurityDefinition = readonly (string | Readonly<Record<string, readonly string[]>>)[];

/** A reply with all its properties. */
export interface ReplyDefinition {
  /**
   * Description of the reply.
   * @defaultValue the description of its schema, or the reason phrase of its status
   */
  readonly description?: string;
  /**
   * Schema of the body.
   * @defaultValue no body
   */
  readonly data?: ContractSchema;
  /**
   * Media type of the body.
   * @defaultValue 'application/json'
   */
  readonly contentType?: string;
  /** Headers, each as a description or as an OpenAPI Header Object. */
  readonly headers?: Readonly<Record<string, string | OpenAPIV3_1.HeaderObject>>;
}

/**
 * A reply: its schema, the description of a reply without a body, its full definition, or null for
 * no details.
 */
export type Reply = ContractSchema | ReplyDefinition | string | null;

/**
 * An event. With `method` and `path` it is served over HTTP; without them its data is only
 * validated.
 */
export interface EventDefinition {
  /** HTTP method. */
  readonly method?: Method;
  /** Path template, such as `/tasks/{id}`. */
  readonly path?: string;
  /**
   * Schema of the event data, an object. Without it, data is not validated and HTTP provides only
   * path fields.
   */
  readonly data?: ContractSchema;
  /**
   * Sources of fields that differ from the default: fields in the path template come from the path;
   * others from the query for GET, HEAD and DELETE, else from the body.
   */
  readonly in?: Readonly<Record<string, Placement>>;
  /**
   * Accepted media types of the body.
   * @defaultValue `['application/json']`
   */
  readonly bodyTypes?: readonly string[];
  /**
   * Replies by status (`200`, `4XX`, `default`).
   * @defaultValue 200 with any JSON
   */
  readonly replies?: Readonly<Record<string | number, Reply>>;
  /** Summary of the operation in OpenAPI. */
  readonly summary?: string;
  /** Description of the operation in OpenAPI. */
  readonly description?: string;
  /** Id of the operation in OpenAPI. */
  readonly operationId?: string;
  /** Tags of the operation in OpenAPI. */
  readonly tags?: readonly string[];
  /**
   * Required security schemes. An empty list makes the event public.
   * @defaultValue `security` of the contract
   */
  readonly security?: SecurityDefinition;
  /** Total time allowed for a request, in milliseconds. */
  readonly timeout?: number;
  /**
   * Whether running a request twice is safe.
   * @defaultValue false for POST and PATCH, true for other methods
   */
  readonly idempotent?: boolean;
  /** Whether the event is deprecated. */
  readonly deprecated?: boolean;
  /** Date of deprecation, past or future (RFC 9745): ISO 8601 text or a Date. */
  readonly deprecatedSince?: string | Date;
  /** Date from which the event may be unavailable (RFC 8594): ISO 8601 text or a Date. */
  readonly sunset?: string | Date;
  /** Whether the gateway computes an ETag for replies without one. */
  readonly etag?: boolean;
  /** Field whose value keeps requests on one worker. */
  readonly stickyKey?: string;
  /**
   * Whether query parameters without a field are rejected or ignored.
   * @defaultValue as the schema treats unknown fields
   */
  readonly unknownQuery?: 'reject' | 'ignore';
}

/** Events by name. */
export type EventDefinitions = Readonly<Record<string, EventDefinition>>;

/** Argument of {@link defineContract}. */
export interface ContractDefinition<Events extends EventDefinitions = EventDefinitions> {
  /** Name of the contract. Workers that announce the same name serve the same events. */
  readonly name: string;
  /**
   * Version, such as `2.0.0`. Workers of several versions can serve side by side if the versions are
   * compatible. It is also `info.version` of the document.
   *
   * @defaultValue none
   */
  readonly version?: string;
  /**
   * Share of the requests that workers of this version receive, in percent, from 0 to 100. Versions
   * without a weight share what the others leave. Requires `version`.
   *
   * @defaultValue none: requests are split only if another version has a weight
   */
  readonly weight?: number;
  /**
   * Request header with which HTTP callers choose a version, such as `X-Version`.
   *
   * @defaultValue none: callers cannot choose
   */
  readonly versionHeader?: string;
  /** OpenAPI Info Object. */
  readonly info?: Partial<OpenAPIV3_1.InfoObject>;
  /** OpenAPI Tag Objects. */
  readonly tags?: readonly OpenAPIV3_1.TagObject[];
  /** Schemes for `security` that the configuration of the gateway does not define. */
  readonly securitySchemes?: Readonly<Record<string, OpenAPIV3_1.SecuritySchemeObject>>;
  /** Default `security` of the events. */
  readonly security?: SecurityDefinition;
  /**
   * Whether Joi converts data before it validates it: text to numbers and dates, and trimming.
   * Without conversion, `"5"` is not a number in a JSON body, and no JSON value is a date.
   * @defaultValue true
   */
  readonly convert?: boolean;
  /** Events by name. */
  readonly events: Events;
}

/**
 * Compile-time checks of {@link defineContract}: TypeScript infers events of any shape, so that a
 * misspelled member would compile, and would have no effect.
 */
export interface CheckedEvents<Events extends EventDefinitions> {
  /** The events, without unknown members, and with the parameters of paths in braces. */
  readonly events: { readonly [Name in keyof Events]: CheckedEvent<Events[Name]> };
}

type CheckedEvent<Event> = {
  readonly [Member in Exclude<keyof Event, keyof EventDefinition>]: {
    readonly 'is not a member of an event': Member;
  };
} & (Event extends { readonly path: infer Path extends string }
  ? { readonly path: CheckedPath<Path> }
  : unknown);

/** A path, or what its author probably meant: the compiler shows it in its error. */
type CheckedPath<Path extends string> =
  InBraces<Path> extends Path ? Path : { readonly 'did you mean': InBraces<Path> };

/** A path with its first `:name` replaced by `{name}`. */
type InBraces<Path extends string> = Path extends `${infer Before}/:${infer Rest}`
  ? Rest extends `${infer Name}/${infer After}`
    ? `${Before}/{${Name}}/${After}`
    : `${Before}/{${Rest}}`
  : Path;

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
  ? SchemaOf<Event['replies'][Successful<Event['replies']>]>
  : undefined;

/**
 * Type of the result of the handler of an event, apart from `reply()`; unknown if the contract does
 * not define it.
 */
export type EventReply<Event extends EventDefinition> =
  Extract<Replies<Event>, ContractSchema> extends never
    ? unknown
    :
        | InputOf<Extract<Replies<Event>, ContractSchema>>
        | (undefined extends Replies<Event> ? unknown : never)
        | (Extract<keyof Event['replies'], Bodiless> extends never ? never : undefined);

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

/** The data of a reply: a body of another media type may be bytes. */
type DataOf<One> =
  SchemaOf<One> extends infer Schema extends ContractSchema
    ? ReadonlyData<InputOf<Schema>> | (One extends { readonly contentType: string } ? Uint8Array : never)
    : unknown;

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
          readonly status: StatusesOf<Key, Exclude<keyof Declared, Key>>;
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
