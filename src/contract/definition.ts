/**
 * Types of contract definitions.
 */
import type { OpenAPIV3_1 } from 'openapi-types';
import type { ContractSchema } from './standard-schema.ts';
import type { StreamedReply } from './stream-replies.ts';
import type { Upload } from './uploads.ts';

/** HTTP methods for events. QUERY is a safe request with a body, as OpenAPI 3.2 has it. */
export type Method = 'GET' | 'HEAD' | 'QUERY' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

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
 * A reply: its schema, the description of a reply without a body, its full definition, a stream, or
 * null for no details.
 */
export type Reply = ContractSchema | ReplyDefinition | StreamedReply | string | null;

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
   * A body that is a stream: {@link upload}. The handler reads it while it arrives; `data` has the
   * other fields.
   * @defaultValue the body is a part of `data`
   */
  readonly body?: Upload;
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
   * How long a worker thread may hold a request before its handler counts as hung, in milliseconds;
   * of a stream, before its first chunk. The thread is then replaced.
   * @defaultValue no limit
   */
  readonly stallTimeout?: number;
  /**
   * Whether HTTP callers may ask for an asynchronous reply (`Prefer: respond-async`), or with
   * `'required'` always get one: 202 at once, and the result later. Needs a gateway with a store.
   * @defaultValue false
   */
  readonly async?: boolean | 'required';
  /**
   * Time allowed for an asynchronous request once it was dispatched, in milliseconds.
   * @defaultValue 3,600,000 (one hour)
   */
  readonly asyncTimeout?: number;
  /**
   * Whether running a request twice is safe.
   * @defaultValue false for POST and PATCH, true for other methods
   */
  readonly idempotent?: boolean;
  /**
   * Whether HTTP requests may or must have the header Idempotency-Key, for POST and PATCH. A retry
   * with the same key and data gets the reply of the first request, which does not run again. The
   * gateway needs a store for it.
   * @defaultValue the gateway ignores the header
   */
  readonly idempotency?: 'optional' | 'required';
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
