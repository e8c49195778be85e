/**
 * What a contract is made of.
 */
import type { OpenAPIV3_1 } from 'openapi-types';
import type { ContractSchema, InputOf, OutputOf } from './standard-schema.ts';

/** Methods an event may be bound to. */
export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

/**
 * Where a field of the event data comes from in HTTP. `header:X-Name` and the like give the name it has there;
 * without one it is the field's own. `body` is for one field alone, named `body`, that takes the whole body.
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

/** Schemes that let a caller in, by name, with the scopes they must give; any one of a list is enough. */
export type SecurityDefinition = readonly (string | Readonly<Record<string, readonly string[]>>)[];

/** A reply, in full. */
export interface ReplyDefinition {
  /** Default: the description of its schema, or the words of its status. */
  readonly description?: string;
  /** Schema of the body; without one there is none. */
  readonly data?: ContractSchema;
  /** Media type of the body. Default `application/json`. */
  readonly contentType?: string;
  /** Headers, each with a description or as an OpenAPI Header Object. */
  readonly headers?: Readonly<Record<string, string | OpenAPIV3_1.HeaderObject>>;
}

/** A reply: its schema, or a description of one without a body, or both, or null for nothing to say. */
export type Reply = ContractSchema | ReplyDefinition | string | null;

/** One event. With `method` and `path` it is served over HTTP; without, it is only checked. */
export interface EventDefinition {
  readonly method?: Method;
  /** Path template, such as `/tasks/{id}`. */
  readonly path?: string;
  /** Schema of the event data, an object. Without it nothing is checked, and HTTP brings the path's fields only. */
  readonly data?: ContractSchema;
  /**
   * Where fields come from, where not as usual: names in the path from the path; for GET, HEAD and DELETE the rest
   * from the query; otherwise from the body.
   */
  readonly in?: Readonly<Record<string, Placement>>;
  /** Media types of the body. Default `application/json`. */
  readonly bodyTypes?: readonly string[];
  /** Replies by status (`200`, `4XX`, `default`). Default: 200 with any JSON. */
  readonly replies?: Readonly<Record<string | number, Reply>>;
  readonly summary?: string;
  readonly description?: string;
  readonly operationId?: string;
  readonly tags?: readonly string[];
  /** Default: the contract's. An empty list asks for nothing. */
  readonly security?: SecurityDefinition;
  /** Milliseconds a request may take in all. */
  readonly timeout?: number;
  /** Whether it may be run twice. Default by method: POST and PATCH may not. */
  readonly idempotent?: boolean;
  readonly deprecated?: boolean;
  /** Date from which the event is deprecated (RFC 9745), past or to come: ISO 8601, or a Date. */
  readonly deprecatedSince?: string | Date;
  /** Date from which the event may be gone (RFC 8594): ISO 8601, or a Date. */
  readonly sunset?: string | Date;
  /** Whether the gateway computes an ETag where the handler sets none. */
  readonly etag?: boolean;
  /** Field whose value keeps requests on one worker. */
  readonly stickyKey?: string;
  /** Names in the query that are no field: refused or ignored. Default: as the schema has it with unknown fields. */
  readonly unknownQuery?: 'refuse' | 'ignore';
}

/** Events by name. */
export type EventDefinitions = Readonly<Record<string, EventDefinition>>;

/** What `defineContract` takes. */
export interface ContractDefinition<Events extends EventDefinitions = EventDefinitions> {
  /** Name of the contract: workers that announce one of the same name serve the same events. */
  readonly name: string;
  readonly info?: Partial<OpenAPIV3_1.InfoObject>;
  readonly tags?: readonly OpenAPIV3_1.TagObject[];
  /** Schemes that `security` names, unless the gateway's configuration defines them. */
  readonly securitySchemes?: Readonly<Record<string, OpenAPIV3_1.SecuritySchemeObject>>;
  /** Default of every event's `security`. */
  readonly security?: SecurityDefinition;
  /**
   * Whether Joi converts data before it judges it, as is its default: text to numbers and dates, white space
   * away. Without, `"5"` is no number in a JSON body, and nothing is a date.
   */
  readonly convert?: boolean;
  readonly events: Events;
}

/** Type of the data that the handler of an event gets. */
export type EventData<Event extends EventDefinition> = Event['data'] extends ContractSchema
  ? OutputOf<Event['data']>
  : unknown;

type Successful = `2${string}` | 'default';
type SchemaOf<One> = One extends ContractSchema
  ? One
  : One extends { readonly data: infer Data }
    ? Data
    : undefined;
type Replies<Event extends EventDefinition> = Event['replies'] extends object
  ? {
      [Status in keyof Event['replies']]: `${Status & (string | number)}` extends Successful
        ? SchemaOf<Event['replies'][Status]>
        : never;
    }[keyof Event['replies']]
  : undefined;

/** Type of what the handler of an event may return beside a whole reply; unknown where the contract says nothing. */
export type EventReply<Event extends EventDefinition> =
  Extract<Replies<Event>, ContractSchema> extends never
    ? unknown
    : InputOf<Extract<Replies<Event>, ContractSchema>> | (undefined extends Replies<Event> ? unknown : never);

/**
 * Types of the handlers of a contract.
 * @typeParam Context what handlers get beside the data.
 * @typeParam Whole a whole reply, with a status of its own.
 */
export type ContractHandlers<Events extends EventDefinitions, Context = unknown, Whole = never> = {
  readonly [Name in keyof Events]: (
    data: EventData<Events[Name]>,
    context: Context,
  ) => EventReply<Events[Name]> | Whole | Promise<EventReply<Events[Name]> | Whole>;
};
