/** One operation, with everything that is the same for all its requests. */
import type { OpenAPIV3_1 } from 'openapi-types';
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import type { Operation, ReplyBinding } from '../../openapi/model/operation.ts';
import { Binder } from '../binding/binder.ts';
import type { ParameterSource } from '../binding/parameters.ts';
import { isSameBinding } from '../binding/same-binding.ts';
import type { GatewayLogger } from '../common/api-source.ts';
import { bestMatch, essenceOf } from '../common/media-type.ts';
import type { GatewaySettings } from '../common/settings.ts';
import type { Template } from '../paths/path-pattern.ts';
import type { Guard } from '../security/guard.ts';
import { resolveReference } from '../validation/shape.ts';
import type { Validate, Validators } from '../validation/validate.ts';

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

/** The route of one operation. */
export class Route {
  /** Timeout of requests that do not ask for one, in milliseconds. */
  readonly timeout: number;
  /** Headers of every response, names and values in turn. */
  readonly headers: readonly string[];
  readonly guard: Guard | undefined;
  /** Whether the operation has a request body. */
  readonly acceptsBody: boolean;
  private compiled: Binder | undefined;
  private types: readonly string[] | undefined;
  private statuses: readonly string[] | undefined;
  /** By status. */
  private readonly defaultTypes = new Map<number, string>();

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
    this.acceptsBody = operation.bodies.length > 0;
  }

  /**
   * The binder, compiled when it is first needed.
   * @throws {Error} when a schema cannot be compiled.
   */
  get binder(): Binder {
    this.compiled ??= new Binder({
      operation: this.operation,
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

  /** Media types that the document declares for successful replies; may be empty. */
  get produces(): readonly string[] {
    this.types ??= producedTypes(this.operation, this.document as unknown as JsonObject);
    return this.types;
  }

  /**
   * Checks the status of a reply.
   * @returns the declared success statuses if the status is not declared; undefined if it is.
   */
  statusMismatch(status: number): readonly string[] | undefined {
    this.statuses ??= statusesOf(this.operation, this.document as unknown as JsonObject);
    const successes = this.statuses.filter((key) => /^[123]/.test(key));
    if (successes.length === 0) return undefined;
    return responseKeys(status).some((key) => this.statuses?.includes(key) === true) ? undefined : successes;
  }

  /** The validator of a reply; undefined if the document has no schema for its status. */
  replyValidator(status: number, contentType: string): Validate | undefined {
    const replies = this.repliesOf(status);
    const reply = bestMatch(contentType, replies, ({ mediaType }) => mediaType) ?? replies[0];
    return reply === undefined ? undefined : this.validators.at(reply.pointer, 'response');
  }

  /** The media type of a reply without one: the first JSON type that is declared for the status. */
  defaultType(status: number): string {
    let type = this.defaultTypes.get(status);
    if (type === undefined) {
      type = this.repliesOf(status)[0]?.mediaType ?? 'application/json';
      if (this.defaultTypes.size < MAX_STATUSES) this.defaultTypes.set(status, type);
    }
    return type;
  }

  private repliesOf(status: number): readonly ReplyBinding[] {
    const { replies } = this.operation;
    for (const key of responseKeys(status)) {
      const found = replies.filter((reply) => reply.status.toUpperCase() === key.toUpperCase());
      if (found.length > 0) return found;
    }
    return [];
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

/** Keys of `responses` that match a status, the most specific first. */
function responseKeys(status: number): string[] {
  return [String(status), `${Math.floor(status / 100)}XX`, 'default'];
}

/** Maximum number of cached statuses: all that HTTP allows. */
const MAX_STATUSES = 500;

const NO_NAMES: ReadonlySet<string> = new Set();

/** The keys of `responses` in the document: `200`, `4XX`, `default`. */
function statusesOf({ path, method }: Operation, document: JsonObject): string[] {
  const responses = at(document, 'paths', path, method, 'responses');
  return isObject(responses) ? Object.keys(responses).map((key) => key.replace('xx', 'XX')) : [];
}

function producedTypes(operation: Operation, document: JsonObject): string[] {
  const item = at(document, 'paths', operation.path, operation.method, 'responses');
  const types = new Set<string>();
  if (!isObject(item)) return [];
  for (const [status, response] of Object.entries(item)) {
    if (!status.startsWith('2')) continue;
    const content = isObject(response) ? member(resolved(response, document), 'content') : undefined;
    if (isObject(content)) {
      for (const type of Object.keys(content)) types.add(essenceOf(type));
    }
  }
  // With a range such as `image/*`, the type is not known before the reply arrives.
  return [...types].some((type) => type.includes('*')) ? [] : [...types];
}

function at(root: Json, ...names: string[]): Json | undefined {
  let value: Json | undefined = root;
  for (const name of names) value = isObject(value) ? member(value, name) : undefined;
  return value;
}

function resolved(response: JsonObject, document: JsonObject): JsonObject {
  const ref = member(response, '$ref');
  const target = typeof ref === 'string' ? resolveReference(ref, document) : undefined;
  return isObject(target) ? target : response;
}
