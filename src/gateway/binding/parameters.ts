/**
 * Reads the parameters of one operation, from path, query, headers and cookies to members of the
 * event data. The constructors do all work that does not depend on a request.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { escapeToken, type Json } from '../../contract/json.ts';
import { holdsExact, stringifyExact } from '../../core/json/exact-json.ts';
import type { ParameterBinding } from '../../openapi/model/operation.ts';
import { isJsonType } from '../common/media-type.ts';
import type { RequestIssue } from '../common/problem.ts';
import { type Template, textsOf } from '../paths/path-pattern.ts';
import type { Shape } from '../validation/shape.ts';
import type { Validate } from '../validation/validate.ts';
import { coerce, INVALID, type Structure } from './coerce.ts';
import { fillDefaults } from './defaults.ts';
import { BodyError, parseJson } from './json.ts';
import { DECODERS, parseStyle, StyleError } from './style.ts';

/** The members of event data that come from parameters, as JSON text and as values. */
export class Fields {
  /** Such as `"id":1,"limit":5`. */
  text = '';
  /** By name of the field; undefined if the values are not needed. */
  readonly values: Map<string, Json> | undefined;

  constructor(keepValues: boolean) {
    this.values = keepValues ? new Map() : undefined;
  }

  /**
   * Adds a member.
   * @param text JSON text of the value.
   */
  add(reader: ParameterReader, value: Json, text = stringifyExact(value)): void {
    const member = reader.key + text;
    this.text = this.text === '' ? member : `${this.text},${member}`;
    this.values?.set(reader.binding.field, value);
  }
}

/** The parts of a request that contain parameters. */
export interface ParameterSource {
  /** The segments of the path, as the client sent them. */
  readonly segments: readonly string[];
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
}

/** Rules for the value of a parameter besides its schema. */
export interface ValueRules {
  /** Maximum levels of nesting of a JSON value. */
  readonly maxDepth: number;
  /** Whether the schema has defaults for members of the value. */
  readonly fillsDefaults: boolean;
  /** First token of pointers to the value. Default: `in` of the parameter. */
  readonly location?: 'body';
}

/** Reads one parameter from its text. */
export class ParameterReader {
  /** The name as JSON with a colon, such as `"limit":`. */
  readonly key: string;
  /** Pointer to the parameter, such as `/query/limit`. */
  readonly pointer: string;

  constructor(
    readonly binding: ParameterBinding,
    readonly shape: Shape,
    private readonly validate: Validate | undefined,
    private readonly rules: ValueRules,
  ) {
    this.key = `${JSON.stringify(binding.field)}:`;
    this.pointer = `/${rules.location ?? binding.in}/${escapeToken(binding.name)}`;
  }

  /** Handles a missing parameter: adds its default, or an issue if it is required. */
  readAbsent(fields: Fields, issues: RequestIssue[]): void {
    if (this.binding.required) issues.push({ pointer: this.pointer, detail: 'is required' });
    else if (this.shape.defaultValue !== undefined) fields.add(this, this.shape.defaultValue);
  }

  /** Reads the whole text of the parameter, as the client sent it. */
  readRaw(raw: string, fields: Fields, issues: RequestIssue[]): void {
    try {
      const { binding, shape } = this;
      if (binding.contentType !== undefined) this.readContent(DECODERS[binding.in](raw), fields, issues);
      else this.readFirstValid(parseStyle(raw, binding, shape), fields, issues);
    } catch (error) {
      issues.push({ pointer: this.pointer, detail: describeTextError(error) });
    }
  }

  /** Reads a decoded text of the parameter's media type. */
  readContent(text: string, fields: Fields, issues: RequestIssue[]): void {
    if (isJsonType(this.binding.contentType ?? '')) this.readJson(text, fields, issues);
    else this.readStructure(text, fields, issues);
  }

  /** Reads the first valid one of several structures. */
  readFirstValid(structures: readonly Structure[], fields: Fields, issues: RequestIssue[]): void {
    const [first = '', ...others] = structures;
    const found: RequestIssue[] = [];
    this.readStructure(first, fields, found);
    if (found.length === 0) return;
    for (const other of others) {
      const own: RequestIssue[] = [];
      this.readStructure(other, fields, own);
      if (own.length === 0) return;
    }
    issues.push(...found);
  }

  /** Reads a parsed and decoded structure. */
  readStructure(structure: Structure, fields: Fields, issues: RequestIssue[]): void {
    const readValue = coerce(structure, this.shape, this.pointer, issues);
    if (readValue !== INVALID) this.value(readValue, fields, issues);
  }

  /** Validates a value and adds it. */
  value(value: Json, fields: Fields, issues: RequestIssue[]): void {
    if (this.validate !== undefined && !this.validate(value, this.pointer, issues, holdsExact(value))) return;
    if (this.rules.fillsDefaults) fillDefaults(value, this.shape);
    fields.add(this, value);
  }

  private readJson(text: string, fields: Fields, issues: RequestIssue[]): void {
    try {
      const parsed = parseJson(Buffer.from(text), this.rules.maxDepth);
      if (this.validate?.(parsed.value, this.pointer, issues, parsed.exact) === false) return;
      if (this.rules.fillsDefaults) parsed.change((value) => fillDefaults(value, this.shape));
      fields.add(this, parsed.value, parsed.bytes.toString());
    } catch (error) {
      if (!(error instanceof BodyError)) throw error;
      issues.push({ pointer: this.pointer, detail: error.message });
    }
  }
}

/** Describes why a text could not be parsed. */
export function describeTextError(error: unknown): string {
  if (error instanceof StyleError) return error.message;
  if (error instanceof URIError) return 'has invalid percent-encoding';
  throw error;
}

/** The path parameters of an operation. */
export class PathParameters {
  /** Readers with the index of their parameter in the template. */
  private readonly locations: readonly (readonly [reader: ParameterReader, index: number])[];

  constructor(
    readers: readonly ParameterReader[],
    private readonly template: Template,
  ) {
    this.locations = readers.map((reader) => [reader, template.names.indexOf(reader.binding.name)]);
  }

  read(source: ParameterSource, fields: Fields, issues: RequestIssue[]): void {
    if (this.locations.length === 0) return;
    const texts = textsOf(this.template, source.segments, this.accepts);
    for (const [reader, index] of this.locations) reader.readRaw(texts[index] ?? '', fields, issues);
  }

  /** Whether a text is a valid value of the parameter with an index. */
  private readonly accepts = (parameter: number, text: string): boolean => {
    const issues: RequestIssue[] = [];
    const location = this.locations.find(([, index]) => index === parameter);
    location?.[0].readRaw(text, new Fields(false), issues);
    return issues.length === 0;
  };
}

/** Headers that OpenAPI does not permit as parameters. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set(['accept', 'content-type', 'authorization']);

/** The header parameters of an operation. */
export class HeaderParameters {
  private readonly readers: readonly (readonly [name: string, reader: ParameterReader])[];

  constructor(readers: readonly ParameterReader[]) {
    this.readers = readers
      .map((reader) => [reader.binding.name.toLowerCase(), reader] as const)
      .filter(([name]) => !RESERVED_HEADERS.has(name));
  }

  read(source: ParameterSource, fields: Fields, issues: RequestIssue[]): void {
    for (const [name, reader] of this.readers) {
      const text = Object.hasOwn(source.headers, name) ? source.headers[name] : undefined;
      if (text === undefined) reader.readAbsent(fields, issues);
      else reader.readRaw(Array.isArray(text) ? text.join(',') : text, fields, issues);
    }
  }
}
