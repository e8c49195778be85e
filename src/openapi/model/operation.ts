/**
 * What the gateway needs to know of one operation of the served document: everything is decided when the
 * contract loads, nothing per request.
 */
import type { OpenAPIV3_1 } from 'openapi-types';
import { HTTP_METHODS, type HttpMethod } from '../../contract/claims.ts';

export { HTTP_METHODS, type HttpMethod };

/** A JSON Schema (2020-12) within the served document; `$ref`s point into that document. */
export type Schema = OpenAPIV3_1.SchemaObject | OpenAPIV3_1.ReferenceObject | boolean;

/** Where a parameter is and how it is written (OpenAPI 3.1, 4.8.12). */
export interface ParameterBinding {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header' | 'cookie';
  /** Name of the event-data field it goes to; the parameter's own name unless `x-event-field` says otherwise. */
  readonly field: string;
  readonly required: boolean;
  readonly style: 'simple' | 'label' | 'matrix' | 'form' | 'spaceDelimited' | 'pipeDelimited' | 'deepObject';
  readonly explode: boolean;
  readonly allowReserved: boolean;
  /** `allowEmptyValue`: an empty value is let through, whatever the schema says. */
  readonly allowEmptyValue: boolean;
  /** Media type when the parameter has `content` in place of `schema`; its value is then JSON text. */
  readonly contentType: string | undefined;
  readonly schema: Schema;
  /** JSON pointer of `schema` within the served document, for compiling a validator from that very document. */
  readonly pointer: string;
}

/** One media type that the request body may have. */
export interface BodyBinding {
  /** Media type or range as in the document, lower case, such as `application/json`. */
  readonly mediaType: string;
  readonly schema: Schema;
  /** JSON pointer of `schema` within the served document. */
  readonly pointer: string;
  /** How fields of a form are written (OpenAPI Encoding Objects), by field; empty where the document says nothing. */
  readonly encoding: Readonly<Record<string, FieldEncoding>>;
}

/** How one field of an `application/x-www-form-urlencoded` or multipart body is written (OpenAPI 3.1, 4.8.15). */
export interface FieldEncoding {
  readonly contentType: string | undefined;
  /** Undefined where the document says nothing of style, explode or allowReserved: the content type decides. */
  readonly style: 'form' | 'spaceDelimited' | 'pipeDelimited' | 'deepObject' | undefined;
  readonly explode: boolean;
}

/** One JSON media type that a reply of a status may have. */
export interface ReplyBinding {
  /** `200`, `4XX`, `default`. */
  readonly status: string;
  /** As in the document, with its parameters. */
  readonly mediaType: string;
  readonly schema: Schema;
  /** JSON pointer of `schema` within the served document. */
  readonly pointer: string;
}

/** Alternatives of schemes, each with the scopes it asks for (OpenAPI security requirement objects). */
export type SecurityRequirement = Readonly<Record<string, readonly string[]>>;

/** One operation: an HTTP method and path, and the event it becomes. */
export interface Operation {
  readonly method: HttpMethod;
  /** Path template as in the served document, prefix included, such as `/tasks/{id}`. */
  readonly path: string;
  readonly eventName: string;
  readonly operationId: string | undefined;
  /** Name of the source that brought it: a file, or a worker's contract. */
  readonly source: string;
  readonly parameters: readonly ParameterBinding[];
  readonly bodies: readonly BodyBinding[];
  readonly bodyRequired: boolean;
  /**
   * How the body becomes event data. `flat`: the members of an object body become fields beside the parameters.
   * `nested`: the whole body arrives under the field `body`. Decided when the contract loads (x-event-body).
   */
  readonly bodyMode: 'none' | 'flat' | 'nested';
  /** Query names that are no parameter: refused with 400, or ignored (`x-unknown-query`; default refuse). */
  readonly unknownQuery: 'refuse' | 'ignore';
  /** Milliseconds, from `x-timeout-ms`; undefined: the gateway's default. */
  readonly timeout: number | undefined;
  readonly idempotent: boolean;
  readonly deprecated: boolean;
  /** `x-deprecated-since`: when that was or will be (RFC 9745), in seconds since 1970; undefined: not told. */
  readonly deprecatedSince: number | undefined;
  /** `x-sunset`: date from which the operation may be gone (RFC 8594), as an HTTP date. */
  readonly sunset: string | undefined;
  /** `x-etag: true`: the gateway computes an ETag where the worker sets none. */
  readonly etag: boolean;
  /** `x-sticky-key`: event-data field whose value keeps requests on one worker. */
  readonly stickyKey: string | undefined;
  readonly security: readonly SecurityRequirement[];
  /** JSON replies that the document names. */
  readonly replies: readonly ReplyBinding[];
  /** False while no worker serves the event: the route answers 503 and the document marks it. */
  readonly available: boolean;
}

/** The served document and its route table: always of the same moment. */
export interface ApiSnapshot {
  /** Grows with each change. */
  readonly revision: number;
  readonly document: OpenAPIV3_1.Document;
  readonly operations: readonly Operation[];
}
