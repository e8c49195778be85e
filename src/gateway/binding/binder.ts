/**
 * The binding of one operation: from an HTTP request to event data. Compiled when the operation is first called,
 * from the document that is served.
 */
import type { OpenAPIV3_1 } from 'openapi-types';
import { canonical, escapeToken, isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import { holdsExact, stringifyExact } from '../../core/json/exact-json.ts';
import type { BodyBinding, Operation, ParameterBinding } from '../../openapi/model/operation.ts';
import {
  bestMatch,
  essenceOf,
  FORM_TYPE,
  inRange,
  isFormType,
  isJsonType,
  parseMediaType,
} from '../common/media-type.ts';
import type { Fault } from '../common/problem.ts';
import type { Template } from '../paths/path-pattern.ts';
import { type Shape, shapeOf } from '../validation/shape.ts';
import type { Validate, Validators } from '../validation/validate.ts';
import { fillDefaults, hasDefaults } from './defaults.ts';
import { Form } from './form.ts';
import { BodyError, ParsedBody, parseJson } from './json.ts';
import { NamedParameters } from './named.ts';
import { cookiesOf, pairsOf } from './pairs.ts';
import {
  Fields,
  HeaderParameters,
  ParameterReader,
  type ParameterSource,
  PathParameters,
} from './parameters.ts';

/** Event data, ready to be sent. */
export interface BoundRequest {
  readonly body: Buffer;
  /** Value of the sticky key, where the operation names one. */
  readonly key: string | undefined;
}

const EMPTY_OBJECT = Buffer.from('{}');
const OPEN = 0x7b;
const JSON_TYPE = 'application/json';
const MAX_PLANS = 20;

/** One media type that the body may have, ready to be read. */
class BodyPlan {
  readonly shape: Shape;
  readonly validate: Validate;
  /** Whether the schema names defaults. */
  readonly fillsDefaults: boolean;
  readonly form: Form;

  constructor(
    readonly binding: BodyBinding,
    document: OpenAPIV3_1.Document,
    validators: Validators,
  ) {
    this.shape = shapeOf(binding.schema, document);
    this.form = new Form(this.shape, isJsonType(binding.mediaType) ? {} : binding.encoding);
    this.validate = validators.at(binding.pointer, 'request');
    this.fillsDefaults = hasDefaults(binding.schema, document);
  }
}

export class Binder {
  private readonly path: PathParameters;
  private readonly query: NamedParameters;
  private readonly header: HeaderParameters;
  private readonly cookie: NamedParameters;
  private readonly bodies: readonly BodyPlan[];
  private readonly keepsValues: boolean;
  /** Plans by media type, as callers write it. */
  private readonly plans = new Map<string, BodyPlan>();

  /**
   * @param ignoredQuery names in the query that are no parameters but no fault either.
   * @throws Error when a schema of the operation cannot be compiled.
   */
  constructor(
    private readonly operation: Operation,
    document: OpenAPIV3_1.Document,
    validators: Validators,
    template: Template,
    ignoredQuery: ReadonlySet<string>,
    private readonly maxDepth: number,
  ) {
    const readers = (place: ParameterBinding['in']): ParameterReader[] =>
      operation.parameters
        .filter((binding) => binding.in === place)
        .map((binding) => {
          const shape = shapeOf(binding.schema, document);
          const plain = shape.typeOnly && binding.contentType === undefined;
          const validate = plain ? undefined : validators.at(binding.pointer);
          const fillsDefaults = hasDefaults(binding.schema, document);
          return new ParameterReader(binding, shape, validate, { maxDepth, fillsDefaults });
        });
    this.path = new PathParameters(readers('path'), template);
    this.query = new NamedParameters(readers('query'), 'query', operation.unknownQuery, ignoredQuery);
    this.header = new HeaderParameters(readers('header'));
    this.cookie = new NamedParameters(readers('cookie'), 'cookie', 'ignore', new Set());
    this.bodies = operation.bodies.map((binding) => new BodyPlan(binding, document, validators));
    this.keepsValues = operation.bodyMode !== 'none' || operation.stickyKey !== undefined;
  }

  /** The media types that a body may have, as far as the gateway can read them. */
  get mediaTypes(): string[] {
    const types = this.bodies.map(({ binding }) => binding.mediaType);
    const readable = (type: string): boolean =>
      isJsonType(type) || inRange(FORM_TYPE, essenceOf(type)) || inRange(JSON_TYPE, essenceOf(type));
    return types.filter(readable);
  }

  /** Whether the path parameters are all that they must be. */
  acceptsPath(source: ParameterSource): boolean {
    const faults: Fault[] = [];
    this.path.read(source, new Fields(false), faults);
    return faults.length === 0;
  }

  /**
   * The media type that a body is read by; undefined when it cannot be read.
   * @param header Content-Type; without one, the body is taken to be of the first type that the document names.
   */
  typeFor(header: string | undefined): string | undefined {
    if (header === undefined) return this.firstType;
    const media = parseMediaType(header);
    const charset = media?.charset ?? 'utf-8';
    if (media === undefined || (charset !== 'utf-8' && charset !== 'us-ascii')) return undefined;
    return this.plan(header) === undefined ? undefined : header;
  }

  /**
   * Binds a request.
   * @param bytes its body; undefined when it has none.
   * @returns event data, or everything that is wrong.
   */
  bind(source: ParameterSource, type: string, bytes: Buffer | undefined): BoundRequest | Fault[] {
    const faults: Fault[] = [];
    const fields = new Fields(this.keepsValues);
    this.path.read(source, fields, faults);
    this.readQuery(source, fields, faults);
    this.header.read(source, fields, faults);
    if (!this.cookie.idle) this.cookie.read(cookiesOf(source.headers.cookie ?? ''), fields, faults);
    if (this.operation.bodyMode === 'none' || bytes === undefined) {
      if (this.operation.bodyRequired) faults.push({ pointer: '/body', detail: 'is required' });
      if (faults.length > 0) return faults;
      const body = fields.text === '' ? EMPTY_OBJECT : Buffer.from(`{${fields.text}}`);
      return { body, key: this.keyOf(fields, undefined) };
    }
    const planFor = this.plan(type);
    const parsed = planFor === undefined ? undefined : this.readBody(planFor, type, bytes, faults);
    if (planFor === undefined || parsed === undefined || faults.length > 0) return faults;
    const body = this.assemble(fields, parsed, faults);
    return faults.length > 0 ? faults : { body, key: this.keyOf(fields, parsed.value) };
  }

  /** The type that a body is taken to be of when nothing is said. */
  private get firstType(): string | undefined {
    const [first] = this.mediaTypes;
    return first !== undefined && inRange(JSON_TYPE, essenceOf(first)) ? JSON_TYPE : first;
  }

  private plan(type: string): BodyPlan | undefined {
    const known = this.plans.get(type);
    if (known !== undefined) return known;
    if (!isJsonType(type) && !isFormType(type)) return undefined;
    const mediaTypeOf = ({ binding }: BodyPlan): string => binding.mediaType;
    const found =
      bestMatch(type, this.bodies, mediaTypeOf) ??
      (isJsonType(type) ? bestMatch(JSON_TYPE, this.bodies, mediaTypeOf) : undefined);
    // Callers can send any number of types; what they mostly send comes first.
    if (found !== undefined && this.plans.size < MAX_PLANS) this.plans.set(type, found);
    return found;
  }

  private readQuery({ query }: ParameterSource, fields: Fields, faults: Fault[]): void {
    if (this.query.idle) return;
    try {
      this.query.read(query === '' ? [] : pairsOf(query), fields, faults);
    } catch (error) {
      if (!(error instanceof URIError)) throw error;
      faults.push({ pointer: '/query', detail: 'has invalid percent-encoding' });
    }
  }

  private readBody(plan: BodyPlan, type: string, bytes: Buffer, faults: Fault[]): ParsedBody | undefined {
    try {
      const before = faults.length;
      const parsed = isJsonType(type)
        ? parseJson(bytes, this.maxDepth)
        : bodyOf(plan.form.parse(bytes, faults));
      if (faults.length > before) return undefined;
      const valid = plan.validate(parsed.value, '/body', faults, parsed.exact);
      if (valid && plan.fillsDefaults) parsed.change((value) => fillDefaults(value, plan.shape));
      return parsed;
    } catch (error) {
      if (!(error instanceof BodyError)) throw error;
      faults.push({ pointer: '/body', detail: error.message });
      return undefined;
    }
  }

  /** Puts body and fields together, with the text of the body as it was sent wherever that is possible. */
  private assemble(fields: Fields, body: ParsedBody, faults: Fault[]): Buffer {
    const { value } = body;
    if (this.operation.bodyMode === 'nested' || !isObject(value)) {
      if (fields.values?.has('body') === true) faults.push({ pointer: '/body', detail: 'must be an object' });
      const start = fields.text === '' ? '{"body":' : `{${fields.text},"body":`;
      return Buffer.concat([Buffer.from(start), body.bytes, Buffer.from('}')]);
    }
    if (fields.text === '') return body.bytes;
    removeFields(fields, body, faults);
    const empty = Object.keys(body.value as JsonObject).length === 0;
    const text = body.bytes;
    return Buffer.concat([
      Buffer.from(`{${fields.text}${empty ? '' : ','}`),
      text.subarray(text.indexOf(OPEN) + 1),
    ]);
  }

  private keyOf(fields: Fields, body: Json | undefined): string | undefined {
    const name = this.operation.stickyKey;
    if (name === undefined) return undefined;
    const value =
      fields.values?.get(name) ?? (isObject(body) && Object.hasOwn(body, name) ? body[name] : undefined);
    if (value === undefined || value === null) return undefined;
    return typeof value === 'string' ? value : stringifyExact(value);
  }
}

/** A body of another type than JSON. */
function bodyOf(value: Json): ParsedBody {
  return new ParsedBody(value, holdsExact(value), undefined);
}

/**
 * A body of a schema that lets other members through may name a field that a parameter gives. The same value is the
 * same field; another one is a fault, since one of the two would be lost.
 */
function removeFields(fields: Fields, body: ParsedBody, faults: Fault[]): void {
  for (const [field, given] of fields.values ?? []) {
    const own = isObject(body.value) ? member(body.value, field) : undefined;
    if (own === undefined) continue;
    if (canonical(own) !== canonical(given)) {
      const pointer = `/body/${escapeToken(field)}`;
      faults.push({ pointer, detail: 'differs from the parameter of that name' });
    }
    body.change((value) => Reflect.deleteProperty(value as JsonObject, field));
  }
}
