/**
 * Binding: from the parameters and the body of an HTTP request to event data.
 *
 * This file has the binder of one operation. It is compiled from the served document when the
 * operation is first called.
 */
import type { OpenAPIV3_1 } from 'openapi-types';
import { canonical, escapeToken, isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import { stringifyExact } from '../../core/json/exact-json.ts';
import type { Operation, ParameterBinding } from '../../openapi/model/operation.ts';
import type { RequestIssue } from '../common/problem.ts';
import type { Template } from '../paths/path-pattern.ts';
import { shapeOf } from '../validation/shape.ts';
import type { Validators } from '../validation/validate.ts';
import { Bodies, type BodyContent } from './body.ts';
import { hasDefaults } from './defaults.ts';
import type { ParsedBody } from './json.ts';
import { NamedParameters } from './named.ts';
import { cookiesOf, pairsOf } from './pairs.ts';
import {
  Fields,
  HeaderParameters,
  ParameterReader,
  type ParameterSource,
  PathParameters,
} from './parameters.ts';

/** A request, bound to event data. */
export interface BoundRequest {
  /** The event data. */
  readonly body: Buffer;
  /** Value of the sticky key; undefined if the operation has none. */
  readonly key: string | undefined;
}

const EMPTY_OBJECT = Buffer.from('{}');
const OPEN = 0x7b;

/** Options of {@link Binder}. */
export interface BinderOptions {
  readonly operation: Operation;
  readonly document: OpenAPIV3_1.Document;
  readonly validators: Validators;
  /** Path of the operation. */
  readonly template: Template;
  /** Names in the query that are neither parameters nor unknown. */
  readonly ignoredQuery: ReadonlySet<string>;
  /** Maximum levels of nesting in a JSON value. */
  readonly maxDepth: number;
}

/** Binds the requests of one operation. */
export class Binder {
  private readonly path: PathParameters;
  private readonly query: NamedParameters;
  private readonly header: HeaderParameters;
  private readonly cookie: NamedParameters;
  readonly bodies: Bodies;
  private readonly keepsValues: boolean;

  private readonly operation: Operation;

  /** @throws {Error} when a schema of the operation cannot be compiled. */
  constructor({ operation, document, validators, template, ignoredQuery, maxDepth }: BinderOptions) {
    this.operation = operation;
    const readers = (location: ParameterBinding['in']): ParameterReader[] =>
      operation.parameters
        .filter((binding) => binding.in === location)
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
    this.bodies = new Bodies(operation.bodies, document, validators, maxDepth);
    this.keepsValues = operation.bodyMode !== 'none' || operation.stickyKey !== undefined;
  }

  /** Whether the path parameters are valid. */
  acceptsPath(source: ParameterSource): boolean {
    const issues: RequestIssue[] = [];
    this.path.read(source, new Fields(false), issues);
    return issues.length === 0;
  }

  /**
   * Binds a request.
   * @param content body of the request; undefined if it has none.
   * @returns the event data, or all issues.
   */
  bind(
    source: ParameterSource,
    type: string,
    content: BodyContent | undefined,
  ): BoundRequest | RequestIssue[] {
    const issues: RequestIssue[] = [];
    const fields = new Fields(this.keepsValues);
    this.path.read(source, fields, issues);
    this.readQuery(source, fields, issues);
    this.header.read(source, fields, issues);
    if (!this.cookie.idle) this.cookie.read(cookiesOf(source.headers.cookie ?? ''), fields, issues);
    if (this.operation.bodyMode === 'none' || content === undefined) {
      if (this.operation.bodyRequired) issues.push({ pointer: '/body', detail: 'is required' });
      if (issues.length > 0) return issues;
      const body = fields.text === '' ? EMPTY_OBJECT : Buffer.from(`{${fields.text}}`);
      return { body, key: this.keyOf(fields, undefined) };
    }
    const parsed = this.bodies.read(type, content, issues);
    if (parsed === undefined || issues.length > 0) return issues;
    const body = this.assemble(fields, parsed, issues);
    return issues.length > 0 ? issues : { body, key: this.keyOf(fields, parsed.value) };
  }

  private readQuery({ query }: ParameterSource, fields: Fields, issues: RequestIssue[]): void {
    if (this.query.idle) return;
    try {
      this.query.read(query === '' ? [] : pairsOf(query), fields, issues);
    } catch (error) {
      if (!(error instanceof URIError)) throw error;
      issues.push({ pointer: '/query', detail: 'has invalid percent-encoding' });
    }
  }

  /** Combines body and fields. The text of the body is kept unchanged where possible. */
  private assemble(fields: Fields, body: ParsedBody, issues: RequestIssue[]): Buffer {
    const { value } = body;
    if (this.operation.bodyMode === 'nested' || !isObject(value)) {
      if (fields.values?.has('body') === true) issues.push({ pointer: '/body', detail: 'must be an object' });
      const start = fields.text === '' ? '{"body":' : `{${fields.text},"body":`;
      return Buffer.concat([Buffer.from(start), body.bytes, Buffer.from('}')]);
    }
    if (fields.text === '') return body.bytes;
    removeFields(fields, body, issues);
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

/**
 * Removes members of the body that a parameter also provides, which a schema with additional
 * properties permits. If the values differ, that is an issue, since one of them would be lost.
 */
function removeFields(fields: Fields, body: ParsedBody, issues: RequestIssue[]): void {
  for (const [field, given] of fields.values ?? []) {
    const own = isObject(body.value) ? member(body.value, field) : undefined;
    if (own === undefined) continue;
    if (canonical(own) !== canonical(given)) {
      const pointer = `/body/${escapeToken(field)}`;
      issues.push({ pointer, detail: 'differs from the parameter with the same name' });
    }
    body.change((value) => Reflect.deleteProperty(value as JsonObject, field));
  }
}
