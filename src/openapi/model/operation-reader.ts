/**
 * Reads the operations of one source and makes each one self-contained. OpenAPI spreads parts of an
 * operation over the document, the path item and components; the result has all of them in the
 * operation.
 */
import { checkEventName, eventNameOf } from '../../contract/claims.ts';
import { ContractError } from '../../contract/errors.ts';
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import { type BodyType, hasMembers } from '../../contract/media-types.ts';
import { BODY_FIELD, Outlines } from './body.ts';
import { type Components, resolve } from './component-reference.ts';
import { checkExtensions, LATER_REPLY_MARK, VERSION_MARK } from './extensions.ts';
import { checkIdempotency, keyParameter } from './idempotency.ts';
import type { HttpMethod } from './operation.ts';
import type { IngestOptions } from './options.ts';
import { isOwnEvent } from './own-events.ts';
import { assignFields, bindParameter, mergeParameters, type Parameter } from './parameters.ts';
import type { PathTemplate } from './path-template.ts';
import { slipsOf } from './slips.ts';
import { checkAsync, checkUpload, slipsOfStreams } from './streams.ts';

/** A self-contained operation and its event. */
export interface ReadOperation {
  readonly operation: JsonObject;
  readonly eventName: string;
}

/** Reads the operations of one normalised document. */
export class OperationReader {
  private readonly document: JsonObject;
  private readonly components: Components;
  private readonly options: IngestOptions;
  private readonly outlines: Outlines;

  constructor(document: JsonObject, components: Components, options: IngestOptions) {
    this.document = document;
    this.components = components;
    this.options = options;
    this.outlines = new Outlines(components['schemas'] ?? {}, options.limits.bytes);
  }

  /** Returns the path item with its `$ref` resolved. */
  pathItem(item: Json): JsonObject {
    const followed = this.follow(item);
    return { ...(isObject(followed) ? followed : {}), ...(isObject(item) ? item : {}) };
  }

  /**
   * Reads one operation; returns undefined if the options say to skip it.
   *
   * @throws {ContractError} when the operation cannot be served.
   */
  operation(
    method: HttpMethod,
    path: string,
    template: PathTemplate,
    pathItem: JsonObject,
    found: JsonObject,
  ): ReadOperation | undefined {
    const eventName = this.eventName(method, path, found);
    if (eventName === undefined) return undefined;
    try {
      const operation: JsonObject = { ...found, 'x-event-name': eventName, security: this.security(found) };
      // The gateway serves the operation, whatever servers its document names.
      delete operation['servers'];
      dropLaterReply(operation);
      checkExtensions(operation);
      checkIdempotency(this.components, method, operation);
      const parameters = this.parameters(template, pathItem, found);
      const fields = assignFields(parameters);
      const listed = parameters.map((one) => withField(one, fields.get(one)));
      listed.push(...versionParameter(operation, parameters), ...keyParameter(operation, parameters));
      if (listed.length > 0) operation['parameters'] = listed;
      else delete operation['parameters'];
      this.body(operation, new Set(fields.values()));
      checkAsync(this.components, operation);
      return { operation, eventName };
    } catch (error) {
      if (error instanceof ContractError) throw error.within({ event: eventName, ...error.location });
      throw error;
    }
  }

  /** Returns the media types that the body of an operation may have. */
  bodyTypes(operation: JsonObject): BodyType[] {
    const body = this.follow(member(operation, 'requestBody') ?? null);
    const content = isObject(body) ? member(body, 'content') : undefined;
    return Object.entries(isObject(content) ? content : {}).map(([mediaType, media]) => {
      return { mediaType, objectOnly: this.outlines.of(schemaOf(media)).object };
    });
  }

  /** Returns the likely mistakes in an operation. */
  *slips(template: PathTemplate, pathItem: JsonObject, found: JsonObject): Iterable<string> {
    const listed = [member(pathItem, 'parameters'), member(found, 'parameters')];
    const parameters = listed.flatMap((list) => (Array.isArray(list) ? list : []));
    yield* slipsOf(
      template,
      parameters.map((one) => this.follow(one)),
      found,
    );
    yield* slipsOfStreams(this.components, found);
  }

  private follow(value: Json): Json | undefined {
    return resolve(this.components, value).value;
  }

  private eventName(method: HttpMethod, path: string, found: JsonObject): string | undefined {
    const { limits, unnamed, kind } = this.options;
    const declared = member(found, 'x-event-name');
    // The document of a gateway shows what that gateway serves itself.
    if (kind !== 'worker' && isOwnEvent(declared)) return undefined;
    const operationId = member(found, 'operationId');
    if (
      operationId !== undefined &&
      (typeof operationId !== 'string' || operationId.length > limits.nameLength)
    ) {
      throw new ContractError(`operationId must be a string of at most ${limits.nameLength} characters`);
    }
    if (declared === undefined && unnamed === 'skip') return undefined;
    if (declared === undefined && unnamed === 'reject') throw new ContractError('x-event-name is missing');
    const name = checkEventName(eventNameOf(method, path, found), limits.nameLength);
    return name;
  }

  private security(found: JsonObject): Json {
    const security = member(found, 'security') ?? member(this.document, 'security') ?? [];
    const problem = 'security must be an array of objects that name schemes, each with an array of scopes';
    if (!Array.isArray(security)) throw new ContractError(problem);
    for (const requirement of security) {
      if (!isObject(requirement)) throw new ContractError(problem);
      for (const [scheme, scopes] of Object.entries(requirement)) {
        if (!Array.isArray(scopes) || scopes.some((scope) => typeof scope !== 'string'))
          throw new ContractError(problem);
        // For the operator's own document, the gateway decides, because it knows which schemes
        // are configured.
        if (this.options.kind === 'worker') this.checkScheme(scheme);
      }
    }
    return security;
  }

  private checkScheme(scheme: string): void {
    const { securitySchemes, configuredSchemes } = this.options;
    const defined =
      Object.hasOwn(this.components['securitySchemes'] ?? {}, scheme) || securitySchemes.has(scheme);
    if (!defined) throw new ContractError(`security requires the scheme ${scheme}, which is not defined`);
    if (configuredSchemes === undefined || configuredSchemes.has(scheme)) return;
    const known = [...configuredSchemes].join(', ') || 'none';
    throw new ContractError(
      `security requires the scheme ${scheme}, which the gateway has not configured (configured: ${known}); ` +
        `configure auth.schemes.${scheme} there, with the type trust if a proxy in front of it checks the scheme`,
    );
  }

  private parameters(template: PathTemplate, pathItem: JsonObject, found: JsonObject): Parameter[] {
    const follow = (value: Json): Json | undefined => this.follow(value);
    const merged = mergeParameters(member(pathItem, 'parameters'), member(found, 'parameters'), follow);
    const parameters = merged.filter(
      ({ in: location, name }) => location !== 'path' || template.names.includes(name),
    );
    for (const name of template.names) {
      if (parameters.some((parameter) => parameter.in === 'path' && parameter.name === name)) continue;
      const original = template.repeated.get(name);
      const twin = parameters.find((parameter) => parameter.in === 'path' && parameter.name === original);
      const resolved: JsonObject = {
        ...(twin?.resolved ?? { in: 'path', required: true, schema: { type: 'string' } }),
        name,
      };
      parameters.push({ declared: resolved, resolved, name, in: 'path' });
    }
    if (parameters.length > this.options.limits.parameters) {
      throw new ContractError(`more than ${this.options.limits.parameters} parameters`);
    }
    for (const parameter of parameters) {
      if (parameter.name.length > this.options.limits.nameLength) {
        throw new ContractError(`a parameter name longer than ${this.options.limits.nameLength} characters`);
      }
      bindParameter(parameter, '');
    }
    return parameters;
  }

  /** Decides whether the body is flat or nested, and records it in the operation. */
  private body(operation: JsonObject, fields: ReadonlySet<string>): void {
    const declared = member(operation, 'x-event-body');
    const requestBody = member(operation, 'requestBody');
    if (requestBody === undefined) {
      delete operation['x-event-body'];
      return;
    }
    const followed = this.follow(requestBody);
    const content = isObject(followed) ? member(followed, 'content') : undefined;
    if (!isObject(content) || Object.keys(content).length === 0) {
      throw new ContractError('requestBody must have content');
    }
    checkUpload(followed as JsonObject);
    const reason =
      member(followed as JsonObject, 'x-stream') === true
        ? this.reasonToNest(formsOf(content), fields)
        : this.reasonToNest(content, fields);
    if (declared === 'flat' && reason !== undefined)
      throw new ContractError(`x-event-body cannot be flat: ${reason}`);
    const mode =
      declared === 'flat' || declared === 'nested' ? declared : reason === undefined ? 'flat' : 'nested';
    if (mode === 'nested' && fields.has(BODY_FIELD)) {
      throw new ContractError(
        `a parameter and the body both use the field ${BODY_FIELD} of the event data; set x-event-field of the parameter`,
      );
    }
    operation['x-event-body'] = mode;
  }

  private reasonToNest(content: JsonObject, fields: ReadonlySet<string>): string | undefined {
    for (const [mediaType, media] of Object.entries(content)) {
      if (!hasMembers(mediaType)) return `a body of type ${mediaType} is not an object`;
      const outline = this.outlines.of(schemaOf(media));
      if (!outline.object) return `the schema of ${mediaType} does not require an object`;
      for (const field of fields) {
        if (outline.names.has(field)) return `its field ${field} has the same name as a parameter`;
      }
    }
    return undefined;
  }
}

/** The forms among the media types of a streamed body; only their fields become event data. */
function formsOf(content: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(content).filter(([mediaType]) => hasMembers(mediaType)));
}

/**
 * Drops the response 202 that the gateway of the document adds: it is not a reply of the event. A
 * gateway that serves the operation adds its own.
 */
function dropLaterReply(operation: JsonObject): void {
  const { '202': accepted, ...others } = (member(operation, 'responses') ?? {}) as JsonObject;
  if (isObject(accepted) && member(accepted, LATER_REPLY_MARK) === true) operation['responses'] = others;
}

/** The schema of a Media Type Object. */
function schemaOf(media: Json): Json {
  return (isObject(media) ? member(media, 'schema') : undefined) ?? true;
}

/**
 * Returns the parameter as the document contains it, with its field added if that differs from its
 * name.
 */
function withField(parameter: Parameter, field: string | undefined): JsonObject {
  const { declared, resolved, name } = parameter;
  if (field === undefined || field === name || member(resolved, 'x-event-field') === field) return declared;
  return { ...resolved, 'x-event-field': field };
}

/** The header with which callers choose a version, unless the document describes it itself. */
function versionParameter(operation: JsonObject, parameters: readonly Parameter[]): JsonObject[] {
  const name = member(operation, 'x-version-header');
  if (typeof name !== 'string') return [];
  const isSame = (parameter: Parameter): boolean =>
    parameter.in === 'header' && parameter.name.toLowerCase() === name.toLowerCase();
  if (parameters.some(isSame)) return [];
  const description = 'Version of the service that handles the request; without it, the service chooses.';
  return [{ name, in: 'header', description, schema: { type: 'string' }, [VERSION_MARK]: true }];
}
