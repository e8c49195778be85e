/** Compiles validators from the served document, each one on first use. */
import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import { ContractError } from '../../contract/errors.ts';
import { at, isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import { type Kind, transform } from '../../contract/shapes.ts';
import { holdsExact } from '../../core/json/exact-json.ts';
import { nameOfRef } from '../model/component-reference.ts';
import { DirectedSchemas, type Direction, hasDirection } from '../model/direction.ts';
import type { ApiSnapshot } from '../model/operation.ts';
import { createAjv, createExactAjv } from './ajv.ts';
import { Engine } from './engine.ts';
import { repeatedComponents } from './repeated.ts';

export type { ErrorObject, ValidateFunction };

/** How numbers are compared: as doubles, or digit by digit. */
export type Precision = 'double' | 'exact';

/** What a validator is compiled for. */
export interface Purpose {
  /**
   * `exact` for values that contain exact numbers; validate them with `validateExactly`.
   *
   * @defaultValue 'double'
   */
  readonly precision?: Precision;
  /**
   * Direction of a body or reply. Members that this direction does not have (`readOnly` in
   * requests, `writeOnly` in responses) are not required.
   *
   * @defaultValue undefined, which requires all members
   */
  readonly direction?: Direction;
}

/** A validator, and the components it was compiled with. */
interface Compiled {
  readonly validate: ValidateFunction;
  readonly with: ReadonlyMap<string, Json>;
}

/**
 * Validators by schema object. Schemas that a change of the document leaves untouched are not
 * compiled again.
 */
const COMPILED = new Map<string, WeakMap<object, Compiled>>();

/** Compiles the schemas of one snapshot. */
export class SchemaCompiler {
  private readonly engines = new Map<string, Engine>();
  private repeated: ReadonlySet<string> | undefined;
  private readonly document: Json;
  private readonly schemas: JsonObject;

  constructor(snapshot: Pick<ApiSnapshot, 'document'>) {
    this.document = snapshot.document as unknown as Json;
    this.schemas = this.components();
  }

  /**
   * Compiles the schema at a JSON pointer of the document, such as `ParameterBinding.pointer`. The
   * validator reports all errors of a value with up to 10,000 nodes, and the first error of a
   * larger value. It never modifies the value.
   *
   * @throws {ContractError} when ajv cannot compile the schema.
   */
  compile(pointer: string, purpose: Purpose = {}): ValidateFunction {
    const schema = at(this.document, pointer) ?? true;
    const { precision = 'double', direction } = purpose;
    const key = keyOf(precision, direction);
    const compiled = COMPILED.get(key) ?? new WeakMap<object, Compiled>();
    COMPILED.set(key, compiled);
    try {
      return this.reuse(schema, compiled) ?? this.compileAnew(schema, precision, direction, compiled);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ContractError(`the schema cannot be compiled: ${reason}`, { pointer }, { cause });
    }
  }

  private reuse(schema: Json, known: WeakMap<object, Compiled>): ValidateFunction | undefined {
    const compiled = isObject(schema) ? known.get(schema) : undefined;
    if (compiled === undefined) return undefined;
    for (const [name, component] of compiled.with) if (this.schemas[name] !== component) return undefined;
    return compiled.validate;
  }

  private compileAnew(
    schema: Json,
    precision: Precision,
    direction: Direction | undefined,
    known: WeakMap<object, Compiled>,
  ): ValidateFunction {
    const reached = this.reached(schema);
    const all = [schema, ...reached.values()];
    // A schema that itself contains a number no double can represent needs exact comparison as
    // well.
    const exact = precision === 'exact' || all.some(holdsExact);
    const directed = direction !== undefined && all.some((one) => hasDirection(one, direction));
    const engine = this.engine(exact ? 'exact' : 'double', directed ? direction : undefined);
    const validate = engine.compile(schema);
    if (isObject(schema)) known.set(schema, { validate, with: reached });
    return validate;
  }

  /** Returns all components that a schema refers to, directly or indirectly. */
  private reached(schema: Json): ReadonlyMap<string, Json> {
    const found = new Map<string, Json>();
    const note = (_kind: Kind, ref: string): string => {
      const name = nameOfRef(ref);
      const component = member(this.schemas, name);
      if (component !== undefined && !found.has(name)) found.set(name, component);
      return ref;
    };
    transform('schema', schema, '', { reference: note });
    // The iteration also visits components that `note` adds.
    for (const component of found.values()) transform('schema', component, '', { reference: note });
    return found;
  }

  private engine(precision: Precision, direction: Direction | undefined): Engine {
    const key = keyOf(precision, direction);
    let engine = this.engines.get(key);
    if (engine === undefined) {
      const directed = direction === undefined ? undefined : new DirectedSchemas(direction, this.schemas);
      this.repeated ??= repeatedComponents(this.schemas);
      const create = precision === 'exact' ? createExactAjv : createAjv;
      engine = new Engine(create, this.schemas, this.repeated, directed);
      this.engines.set(key, engine);
    }
    return engine;
  }

  private components(): JsonObject {
    const components = isObject(this.document) ? member(this.document, 'components') : undefined;
    const schemas = isObject(components) ? member(components, 'schemas') : undefined;
    return isObject(schemas) ? schemas : {};
  }
}

function keyOf(precision: Precision, direction: Direction | undefined): string {
  return `${precision} ${direction ?? 'any'}`;
}
