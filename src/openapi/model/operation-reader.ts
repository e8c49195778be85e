/**
 * Reads the operations of one source and makes each one self-contained. OpenAPI spreads parts of an
 * operation over the document, the path item and components; the result has all of them in the
 * operation.
 */
import { checkEventName, eventNameOf } from '../../contract/claims.ts';
import { ContractError } from '../../contract/errors.ts';
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import { BODY_FIELD, hasMembers, Outlines } from './body.ts';
import { checkExtensions } from './extensions.ts';
import type { HttpMethod } from './operation.ts';
import type { IngestOptions } from './options.ts';
import { assignFields, bindParameter, mergeParameters, type Parameter } from './parameters.ts';
import type { PathTemplate } from './path-template.ts';

/** A self-contained operation and its event. */
export interface ReadOperation {
  readonly operation: JsonObject;
  readonly eventName: string;
}

/** Reads the operations of one normalised document. */
export class OperationReader {
  private readonly document: JsonObject;
  private readonly components: Readonly<Record<string, JsonObject>>;
  private readonly options: IngestOptions;
  private readonly outlines: Outlines;

  constructor(
    document: JsonObject,
    components: Readonly<Record<string, JsonObject>>,
    options: IngestOptions,
  ) {
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
      checkExtensions(operation);
      const parameters = this.parameters(template, pathItem, found);
      const fields = assignFields(parameters);
      if (parameters.length > 0)
        operation['parameters'] = parameters.map((one) => standing(one, fields.get(one)));
      else delete operation['parameters'];
      this.body(operation, new Set(fields.values()));
      return { operation, eventName };
    } catch (error) {
      if (error instanceof ContractError) throw error.within({ event: eventName, ...error.place });
      throw error;
    }
  }

  /** Returns the media types that the body of an operation may have. */
  mediaTypes(operation: JsonObject): string[] {
    const body = this.follow(member(operation, 'requestBody') ?? null);
    const content = isObject(body) ? member(body, 'content') : undefined;
    return isObject(content) ? Object.keys(content) : [];
  }

  /** Resolves a reference to a component; returns the value itself if it is not a reference. */
  private follow(value: Json): Json | undefined {
    let followed: Json | undefined = value;
    for (let hops = 0; isObject(followed) && typeof followed['$ref'] === 'string'; hops += 1) {
      const [section, name] = followed['$ref'].split('/').slice(-2);
      if (hops > this.options.limits.references || section === undefined || name === undefined)
        return undefined;
      followed = member(this.components[section] ?? {}, name);
    }
    return followed;
  }

  private eventName(method: HttpMethod, path: string, found: JsonObject): string | undefined {
    const { limits, unnamed } = this.options;
    const told = member(found, 'x-event-name');
    const operationId = member(found, 'operationId');
    if (
      operationId !== undefined &&
      (typeof operationId !== 'string' || operationId.length > limits.nameLength)
    ) {
      throw new ContractError(`operationId must be a string of at most ${limits.nameLength} characters`);
    }
    if (told === undefined && unnamed === 'skip') return undefined;
    if (told === undefined && unnamed === 'refuse') throw new ContractError('x-event-name is missing');
    const name = checkEventName(eventNameOf(method, path, found), limits.nameLength);
    return name;
  }

  private security(found: JsonObject): Json {
    const security = member(found, 'security') ?? member(this.document, 'security') ?? [];
    const fault = 'security must be an array of objects that name schemes, each with an array of scopes';
    if (!Array.isArray(security)) throw new ContractError(fault);
    for (const requirement of security) {
      if (!isObject(requirement)) throw new ContractError(fault);
      for (const [scheme, scopes] of Object.entries(requirement)) {
        if (!Array.isArray(scopes) || scopes.some((scope) => typeof scope !== 'string'))
          throw new ContractError(fault);
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
    if (!defined) throw new ContractError(`security names the scheme ${scheme}, which is not defined`);
    if (configuredSchemes === undefined || configuredSchemes.has(scheme)) return;
    const known = [...configuredSchemes].join(', ') || 'none';
    throw new ContractError(
      `security demands the scheme ${scheme}, which the gateway has not configured (configured: ${known}); ` +
        `set auth.schemes.${scheme} there, with the type trust if a proxy in front of it checks the scheme`,
    );
  }

  private parameters(template: PathTemplate, pathItem: JsonObject, found: JsonObject): Parameter[] {
    const follow = (value: Json): Json | undefined => this.follow(value);
    const merged = mergeParameters(member(pathItem, 'parameters'), member(found, 'parameters'), follow);
    const parameters = merged.filter(
      ({ in: place, name }) => place !== 'path' || template.names.includes(name),
    );
    for (const name of template.names) {
      if (parameters.some((parameter) => parameter.in === 'path' && parameter.name === name)) continue;
      const original = template.repeated.get(name);
      const twin = parameters.find((parameter) => parameter.in === 'path' && parameter.name === original);
      const says: JsonObject = {
        ...(twin?.says ?? { in: 'path', required: true, schema: { type: 'string' } }),
        name,
      };
      parameters.push({ stands: says, says, name, in: 'path' });
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
    const told = member(operation, 'x-event-body');
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
    const reason = this.whyNested(content, fields);
    if (told === 'flat' && reason !== undefined)
      throw new ContractError(`x-event-body cannot be flat: ${reason}`);
    const mode = told === 'flat' || told === 'nested' ? told : reason === undefined ? 'flat' : 'nested';
    if (mode === 'nested' && fields.has(BODY_FIELD)) {
      throw new ContractError(
        `a parameter and the body both go to the field ${BODY_FIELD} of the event data; give the parameter an x-event-field`,
      );
    }
    operation['x-event-body'] = mode;
  }

  private whyNested(content: JsonObject, fields: ReadonlySet<string>): string | undefined {
    for (const [mediaType, media] of Object.entries(content)) {
      if (!hasMembers(mediaType)) return `a body of ${mediaType} is no object`;
      const outline = this.outlines.of((isObject(media) ? member(media, 'schema') : undefined) ?? true);
      if (!outline.object) return `the schema of ${mediaType} does not ask for an object`;
      for (const field of fields) {
        if (outline.names.has(field)) return `its field ${field} bears the name of a parameter`;
      }
    }
    return undefined;
  }
}

/**
 * Returns the parameter as the document contains it, with its field added if that differs from its
 * name.
 */
function standing(parameter: Parameter, field: string | undefined): JsonObject {
  const { stands, says, name } = parameter;
  if (field === undefined || field === name || member(says, 'x-event-field') === field) return stands;
  return { ...says, 'x-event-field': field };
}
