/** One operation, with everything that is the same for all its requests. */
import type { OpenAPIV3_1 } from 'openapi-types';
import type { Operation } from '../../openapi/model/operation.ts';
import { isOwnEvent, REQUEST_EVENTS } from '../../openapi/model/own-events.ts';
import { Binder } from '../binding/binder.ts';
import type { ParameterSource } from '../binding/parameters.ts';
import { isSameBinding } from '../binding/same-binding.ts';
import type { GatewayLogger } from '../common/api-source.ts';
import type { GatewaySettings } from '../common/settings.ts';
import type { Template } from '../paths/path-pattern.ts';
import type { Guard } from '../security/guard.ts';
import type { Validators } from '../validation/validate.ts';
import { ReplyRules } from './reply-rules.ts';

/** What routes need from their gateway. */
export interface RouteContext {
  readonly settings: GatewaySettings;
  readonly logger: GatewayLogger;
  /** Headers of every response, names and values in turn. */
  readonly baseHeaders: readonly string[];
  /**
   * The guard of an operation; undefined if it requires no credentials.
   * @throws {ZeroMQConfigError} when it requires a security scheme that is not configured.
   */
  readonly guardFor: (operation: Operation, document: OpenAPIV3_1.Document) => Guard | undefined;
}

/**
 * What is special about the requests of a route: they may have an idempotency key, they may be
 * asynchronous, their replies may be streams, or their bodies too. `request` and `request-events`
 * are the gateway's own operations on asynchronous requests.
 */
export type RouteKind = 'plain' | 'keyed' | 'async' | 'stream' | 'upload' | 'request' | 'request-events';

/** The route of one operation. */
export class Route {
  /** Timeout of requests that do not ask for one, in milliseconds. */
  readonly timeout: number;
  /** Headers of every response, names and values in turn. */
  readonly headers: readonly string[];
  readonly guard: Guard | undefined;
  /** Request header with the version of the contract to use, in lower case. */
  readonly versionHeader: string | undefined;
  /** Whether the operation has a request body. */
  readonly acceptsBody: boolean;
  /** Which exchange handles its requests. */
  readonly kind: RouteKind;
  /** What the document says about replies. */
  readonly replies: ReplyRules;
  private compiled: Binder | undefined;

  constructor(
    readonly operation: Operation,
    readonly document: OpenAPIV3_1.Document,
    private readonly validators: Validators,
    private readonly template: Template,
    private readonly context: RouteContext,
  ) {
    const { settings, baseHeaders } = context;
    this.timeout = Math.min(operation.timeout ?? settings.timeout, settings.maxTimeout);
    this.guard = context.guardFor(operation, document);
    this.headers = [...baseHeaders, ...this.deprecationHeaders()];
    this.versionHeader = operation.versionHeader?.toLowerCase();
    this.acceptsBody = operation.bodies.length > 0;
    this.kind = kindOf(operation);
    this.replies = new ReplyRules(operation, document, validators);
  }

  /**
   * The binder, compiled when it is first needed.
   * @throws {Error} when a schema cannot be compiled.
   */
  get binder(): Binder {
    const { operation } = this;
    this.compiled ??= new Binder({
      // A body that is a stream is not part of the event data.
      operation: operation.streamsBody ? { ...operation, bodyRequired: false } : operation,
      document: this.document,
      validators: this.validators,
      template: this.template,
      ignoredQuery: this.guard?.queryNames ?? NO_NAMES,
      maxDepth: this.context.settings.limits.depth,
    });
    return this.compiled;
  }

  /** Whether the values of the path parameters are valid. */
  acceptsPath(source: ParameterSource): boolean {
    try {
      return this.binder.acceptsPath(source);
    } catch {
      // The exchange reports a schema that cannot be compiled.
      return false;
    }
  }

  /**
   * Reuses the compiled binder of the same operation in another revision, if it is unchanged. The
   * gateway must not compile all operations again when a worker joins or leaves.
   */
  reuseBinder(other: Route): void {
    if (other.compiled === undefined || !isSameBinding(other, this)) return;
    const names = this.guard?.queryNames ?? NO_NAMES;
    const others = other.guard?.queryNames ?? NO_NAMES;
    if (names.size === others.size && [...names].every((name) => others.has(name)))
      this.compiled = other.compiled;
  }

  /**
   * Converts a pointer into event data to a pointer into the HTTP request: `/id` to `/path/id`,
   * `/title` to `/body/title`.
   */
  httpPointer(pointer: string): string {
    const [, token = '', ...rest] = pointer.split('/');
    const field = token.replaceAll('~1', '/').replaceAll('~0', '~');
    const below = rest.map((part) => `/${part}`).join('');
    const parameter = this.operation.parameters.find((binding) => binding.field === field);
    if (parameter !== undefined) return `/${parameter.in}/${token}${below}`;
    if (this.operation.bodyMode === 'nested') return field === 'body' ? `/body${below}` : `/body${pointer}`;
    return this.acceptsBody ? `/body${pointer}` : `/query${pointer}`;
  }

  private deprecationHeaders(): string[] {
    const { deprecated, deprecatedSince, sunset } = this.operation;
    const headers: string[] = [];
    // RFC 9745 requires a date. Without one in the document, any date in the past is correct.
    if (deprecated || deprecatedSince !== undefined) headers.push('Deprecation', `@${deprecatedSince ?? 0}`);
    if (sunset !== undefined) headers.push('Sunset', sunset);
    return headers;
  }
}

function kindOf({ streamsBody, streamsReply, idempotency, async, eventName }: Operation): RouteKind {
  if (isOwnEvent(eventName)) return eventName === REQUEST_EVENTS.watch ? 'request-events' : 'request';
  // The replies of asynchronous operations are stored as a whole.
  if (async !== undefined) return 'async';
  if (streamsBody) return 'upload';
  if (streamsReply) return 'stream';
  return idempotency === undefined ? 'plain' : 'keyed';
}

const NO_NAMES: ReadonlySet<string> = new Set();
