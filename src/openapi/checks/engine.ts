/** Compiles schemas with ajv and registers the components that they refer to. */
import type { Ajv2020, ValidateFunction } from 'ajv/dist/2020.js';
import type { DataValidationCxt } from 'ajv/dist/types/index.js';
import { type Json, type JsonObject, member } from '../../contract/json.ts';
import { type Kind, transform } from '../../contract/shapes.ts';
import { stringifyExact } from '../../core/json/exact-json.ts';
import { nameOfRef } from '../model/component-reference.ts';
import type { DirectedSchemas } from '../model/direction.ts';
import { isConstraint } from '../model/schema.ts';
import type { AjvSettings } from './ajv.ts';
import { ResultCache } from './result-cache.ts';

/** Maximum number of nodes of a value for which all errors are collected. */
const MAX_NODES = 10_000;

/** An ajv instance, and the components registered with it. */
interface Pass {
  readonly ajv: Ajv2020;
  readonly known: Set<string>;
}

/** A component, compiled so that it does not require certain members. */
interface Variant {
  readonly key: string;
  readonly name: string;
  readonly notRequired: ReadonlySet<string>;
}

/** Compiles the schemas of one document for one precision and direction. */
export class Engine {
  /** Components by name and by the members that they must not require. */
  private readonly variants = new Map<string, Variant>();
  /**
   * Validators by the text of the schema that ajv compiles. Schemas with the same text share one
   * function, which V8 then optimises and keeps in the caches.
   */
  private readonly byText = new Map<string, ValidateFunction>();
  private readonly cache = new ResultCache();
  private readonly repeatedKeys = new Set<string>();
  private readonly passes: { first?: Pass; all?: Pass } = {};

  /** @param repeated names of the components that one value may reach many times. */
  constructor(
    private readonly create: (settings: AjvSettings) => Ajv2020,
    private readonly schemas: JsonObject,
    private readonly repeated: ReadonlySet<string>,
    private readonly directed: DirectedSchemas | undefined,
  ) {}

  compile(schema: Json): ValidateFunction {
    const prepared = this.prepare(schema);
    const text = stringifyExact(prepared);
    const validate = this.byText.get(text) ?? this.twoPass(prepared);
    this.byText.set(text, validate);
    return validate;
  }

  /**
   * Returns a validator that stops at the first error and, if the value is small enough, then
   * collects all errors. ajv itself would collect all errors of a value of any size, and cannot be
   * interrupted.
   */
  private twoPass(prepared: JsonObject | boolean): ValidateFunction {
    const { cache } = this;
    const first = this.compileFor('first', prepared);
    let all: ValidateFunction | undefined;
    const validator = (value: unknown, location?: DataValidationCxt): boolean => {
      try {
        const valid = first(value, location);
        validator.errors = first.errors;
        if (valid || hasMoreThan(MAX_NODES, value)) return valid;
        all ??= this.compileFor('all', prepared);
        cache.clear();
        all(value, location);
        validator.errors = all.errors;
        return false;
      } finally {
        cache.clear();
      }
    };
    validator.errors = first.errors;
    return validator as unknown as ValidateFunction;
  }

  private compileFor(errors: 'first' | 'all', prepared: JsonObject | boolean): ValidateFunction {
    const { repeatedKeys: repeated, cache } = this;
    const pass = (this.passes[errors] ??= {
      ajv: this.create({ allErrors: errors === 'all', repeated, cache }),
      known: new Set(),
    });
    // The iteration also visits variants that `prepare` adds.
    for (const { key, name, notRequired } of this.variants.values()) {
      if (pass.known.has(key)) continue;
      pass.known.add(key);
      const component = member(this.schemas, name) ?? true;
      pass.ajv.addSchema(this.prepare(this.directed?.mark(component, notRequired) ?? component), key);
    }
    return pass.ajv.compile(prepared);
  }

  /**
   * Reduces a schema to what ajv needs: keywords that constrain the value, descriptions that errors
   * quote, and references by the keys of components.
   */
  private prepare(schema: Json): JsonObject | boolean {
    const enter = (_kind: Kind, object: JsonObject): JsonObject => {
      const notRequired = this.directed?.enter(object) ?? new Set<string>();
      const ref = member(object, '$ref');
      if (typeof ref === 'string') object['$ref'] = this.keyFor(nameOfRef(ref), notRequired) ?? ref;
      const entries = Object.entries(object);
      return Object.fromEntries(
        entries.filter(([keyword]) => isConstraint(keyword) || keyword === 'description'),
      );
    };
    return transform('schema', schema, '', { enter }) as JsonObject | boolean;
  }

  /** Returns the key of a component, or undefined if no component has this name. */
  private keyFor(name: string, notRequired: ReadonlySet<string>): string | undefined {
    if (member(this.schemas, name) === undefined) return undefined;
    const variant = JSON.stringify([name, ...[...notRequired].sort()]);
    const known = this.variants.get(variant);
    if (known !== undefined) return known.key;
    const key = `component${this.variants.size}`;
    this.variants.set(variant, { key, name, notRequired });
    if (this.repeated.has(name)) this.repeatedKeys.add(key);
    return key;
  }
}

/**
 * Returns whether a JSON value has more than `most` nodes. The time it takes does not grow with
 * larger values.
 */
function hasMoreThan(max: number, value: unknown): boolean {
  const pending: unknown[] = [value];
  for (let count = 0; pending.length > 0; count += 1) {
    const next = pending.pop();
    if (typeof next !== 'object' || next === null) continue;
    const parts: unknown[] = Array.isArray(next) ? next : Object.values(next);
    if (count + pending.length + parts.length > max) return true;
    for (const part of parts) pending.push(part);
  }
  return false;
}
