/**
 * What the gateway knows about one operation of the served document. Everything is computed when
 * the contract is loaded, and nothing per request.
 */
import type { OpenAPIV3_1 } from 'openapi-types';
import type { HttpMethod } from '../../contract/claims.ts';
import type { StreamFormat } from '../../contract/stream-types.ts';

export type { HttpMethod };

/** A JSON Schema (2020-12) in the served document; its `$ref`s point into that document. */
export type Schema = OpenAPIV3_1.SchemaObject | OpenAPIV3_1.ReferenceObject | boolean;

/** Location and serialisation of a parameter (OpenAPI 3.1, 4.8.12). */
export interface ParameterBinding {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header' | 'cookie';
  /** Event data field that receives the value: `x-event-field`, or else the parameter's name. */
  readonly field: string;
  readonly required: boolean;
  readonly style: 'simple' | 'label' | 'matrix' | 'form' | 'spaceDelimited' | 'pipeDelimited' | 'deepObject';
  readonly explode: boolean;
  readonly allowReserved: boolean;
  /** `allowEmptyValue`: an empty value is accepted, whatever the schema requires. */
  readonly allowEmptyValue: boolean;
  /** Media type if the parameter has `content` instead of `schema`; its value is then JSON text. */
  readonly contentType: string | undefined;
  readonly schema: Schema;
  /** JSON pointer of `schema` in the served document, from which a validator can be compiled. */
  readonly pointer: string;
}

/** One media type that the request body may have. */
export interface BodyBinding {
  /** Media type or range as in the document, in lower case, such as `application/json`. */
  readonly mediaType: string;
  readonly schema: Schema;
  /** JSON pointer of `schema` in the served document. */
  readonly pointer: string;
  /**
   * Serialisation of form fields (OpenAPI Encoding Objects) by field; empty if the document does
   * not define any.
   */
  readonly encoding: Readonly<Record<string, FieldEncoding>>;
}

/**
 * Serialisation of one field of an `application/x-www-form-urlencoded` or multipart body (OpenAPI
 * 3.1, 4.8.15).
 */
export interface FieldEncoding {
  readonly contentType: string | undefined;
  /**
   * Undefined if the document sets none of `style`, `explode` and `allowReserved`; the content type
   * then applies.
   */
  readonly style: 'form' | 'spaceDelimited' | 'pipeDelimited' | 'deepObject' | undefined;
  readonly explode: boolean;
}

/** One JSON media type that a reply with a certain status may have. */
export interface ReplyBinding {
  /** `200`, `4XX` or `default`. */
  readonly status: string;
  /** Media type as in the document, with its parameters. */
  readonly mediaType: string;
  readonly schema: Schema;
  /** JSON pointer of `schema` in the served document. */
  readonly pointer: string;
}

/** One media type that a streamed reply with a certain status may have. */
export interface StreamBinding {
  /** `200`, `4XX` or `default`. */
  readonly status: string;
  /** Media type as in the document, with its parameters. */
  readonly mediaType: string;
  readonly format: StreamFormat;
  /** Schema of each item; undefined for bytes and if the document does not define any. */
  readonly itemSchema: Schema | undefined;
  /** JSON pointer of `itemSchema` in the served document. */
  readonly itemPointer: string | undefined;
  /**
   * Schema of the JSON in the data of each server-sent event; undefined for other streams, and if
   * the data is a text.
   */
  readonly dataSchema: Schema | undefined;
  /** JSON pointer of `dataSchema` in the served document. */
  readonly dataPointer: string | undefined;
}

/** Limits of a streamed request body; a missing member leaves the limit to the gateway. */
export interface UploadLimits {
  /** Maximum length of the body in bytes. */
  readonly bytes?: number;
  /** Maximum number of files of a multipart body. */
  readonly files?: number;
  /** Maximum number of form fields of a multipart body. */
  readonly fields?: number;
}

/**
 * One alternative of the security of an operation: all schemes that it requires, each with its
 * scopes (an OpenAPI security requirement object).
 */
export type SecurityRequirement = Readonly<Record<string, readonly string[]>>;

/** One operation: an HTTP method and path, and its event. */
export interface Operation {
  readonly method: HttpMethod;
  /** Path template as in the served document, prefix included, such as `/tasks/{id}`. */
  readonly path: string;
  readonly eventName: string;
  readonly operationId: string | undefined;
  /** Name of the source: a file or a worker's contract. */
  readonly source: string;
  readonly parameters: readonly ParameterBinding[];
  readonly bodies: readonly BodyBinding[];
  readonly bodyRequired: boolean;
  /**
   * How the body becomes event data. `flat`: the members of an object body become fields next to
   * the parameters. `nested`: the field `body` receives the whole body. Set by `x-event-body` or
   * computed when the contract is loaded. A streamed body is `flat` if it may be a form, whose
   * fields become event data, or else `none`.
   */
  readonly bodyMode: 'none' | 'flat' | 'nested';
  /**
   * Query names that are not parameters: rejected with 400, or ignored (`x-unknown-query`, by
   * default `reject`).
   */
  readonly unknownQuery: 'reject' | 'ignore';
  /**
   * Request timeout in milliseconds, from `x-timeout-ms`; undefined if the default of the gateway
   * applies.
   */
  readonly timeout: number | undefined;
  /**
   * `x-async`: whether callers may ask for an asynchronous reply, or always get one; undefined if
   * neither.
   */
  readonly async: 'optional' | 'required' | undefined;
  /** Time allowed for an asynchronous request in milliseconds, from `x-async-timeout-ms`. */
  readonly asyncTimeout: number | undefined;
  readonly idempotent: boolean;
  /**
   * `x-idempotency`: whether requests may or must have the header Idempotency-Key; undefined if the
   * gateway ignores it.
   */
  readonly idempotency: 'optional' | 'required' | undefined;
  readonly deprecated: boolean;
  /**
   * `x-deprecated-since`: date of the deprecation (RFC 9745), in seconds since 1970; undefined if
   * it is not set.
   */
  readonly deprecatedSince: number | undefined;
  /** `x-sunset`: date after which the operation may be removed (RFC 8594), as an HTTP date. */
  readonly sunset: string | undefined;
  /** `x-etag: true`: the gateway computes an ETag unless the worker sets one. */
  readonly etag: boolean;
  /**
   * `x-sticky-key`: event data field whose value selects the worker, so that equal values reach the
   * same worker.
   */
  readonly stickyKey: string | undefined;
  /** `x-version-header`: request header that names the version of the contract to use. */
  readonly versionHeader: string | undefined;
  readonly security: readonly SecurityRequirement[];
  /** JSON replies that the document defines. */
  readonly replies: readonly ReplyBinding[];
  /**
   * Replies that may be streams: those with a sequential media type or with bytes, unless
   * `x-stream: false` of the media type says otherwise.
   */
  readonly streams: readonly StreamBinding[];
  /** Whether some reply may be a stream. */
  readonly streamsReply: boolean;
  /**
   * `x-resumable: true`: server-sent events continue on another worker, after the last event id,
   * when their worker is lost.
   */
  readonly resumable: boolean;
  /** `x-stream: true` of the request body: the worker receives the body in chunks. */
  readonly streamsBody: boolean;
  /** `x-upload-limits` of the request body. */
  readonly uploadLimits: UploadLimits;
  /**
   * False while no worker serves the event: the route responds with 503 and the document marks the
   * operation.
   */
  readonly available: boolean;
}

/** The served document and its operations, both of the same revision. */
export interface ApiSnapshot {
  /** Increases with each change. */
  readonly revision: number;
  readonly document: OpenAPIV3_1.Document;
  readonly operations: readonly Operation[];
}
