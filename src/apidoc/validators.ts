/**
 * Validators, compiled from the very document that is served, each when it is first asked for.
 */
import type { Ajv2020, ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import { ContractError } from '../contract/errors.ts';
import { at, isObject, type Json, type JsonObject, member } from '../contract/json.ts';
import { type Kind, transform } from '../contract/shapes.ts';
import { holdsExact, stringifyExact } from '../core/exact-json.ts';
import { createAjv, createExactAjv } from './ajv.ts';
import type { ApiSnapshot } from './operation.ts';
import { isJudging } from './schema.ts';

export type { ErrorObject, ValidateFunction };

/** How numbers are judged: as doubles, or by all their digits. */
export type Precision = 'double' | 'exact';

/** A validator, and the components it was compiled with. */
interface Compiled {
  readonly validate: ValidateFunction;
  readonly with: ReadonlyMap<string, Json>;
}

/** Validators by the schema object: what a change of the document leaves alone is not compiled again. */
const COMPILED = { double: new WeakMap<object, Compiled>(), exact: new WeakMap<object, Compiled>() };

/** Compiles the schemas of one snapshot. */
export class SchemaCompiler {
  private readonly engines = new Map<Precision, Engine>();
  private readonly document: Json;
  private readonly schemas: JsonObject;

  constructor(snapshot: Pick<ApiSnapshot, 'document'>) {
    this.document = snapshot.document as unknown as Json;
    this.schemas = this.components();
  }

  /**
   * The validator of the schema at a JSON pointer of the document (`ParameterBinding.pointer` and the like).
   * It collects all errors; data is never changed.
   * @param precision `exact` for values that hold exact numbers, which `validateExactly` validates.
   * @throws ContractError when ajv cannot compile it.
   */
  compile(pointer: string, precision: Precision = 'double'): ValidateFunction {
    const schema = at(this.document, pointer) ?? true;
    try {
      return this.reuse(schema, precision) ?? this.compileAnew(schema, precision);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ContractError(`the schema cannot be compiled: ${reason}`, { pointer }, { cause });
    }
  }

  private reuse(schema: Json, precision: Precision): ValidateFunction | undefined {
    const compiled = isObject(schema) ? COMPILED[precision].get(schema) : undefined;
    if (compiled === undefined) return undefined;
    for (const [name, component] of compiled.with) if (this.schemas[name] !== component) return undefined;
    return compiled.validate;
  }

  private compileAnew(schema: Json, precision: Precision): ValidateFunction {
    const reached = this.reached(schema);
    // A double is not enough either where the schema itself has a number that needs more.
    const exact = precision === 'exact' || [schema, ...reached.values()].some(holdsExact);
    const validate = this.engine(exact ? 'exact' : 'double').compile(schema);
    if (isObject(schema)) COMPILED[precision].set(schema, { validate, with: reached });
    return validate;
  }

  /** All components that a schema refers to, itself or through others. */
  private reached(schema: Json): ReadonlyMap<string, Json> {
    const found = new Map<string, Json>();
    const note = (_kind: Kind, ref: string): string => {
      const name = nameOf(ref);
      const component = member(this.schemas, name);
      if (component !== undefined && !found.has(name)) found.set(name, component);
      return ref;
    };
    transform('schema', schema, '', { reference: note });
    // A map that grows is walked to its new end.
    for (const component of found.values()) transform('schema', component, '', { reference: note });
    return found;
  }

  private engine(precision: Precision): Engine {
    let engine = this.engines.get(precision);
    if (engine === undefined) {
      engine = new Engine(precision === 'exact' ? createExactAjv() : createAjv(), this.schemas);
      this.engines.set(precision, engine);
    }
    return engine;
  }

  private components(): JsonObject {
    const components = isObject(this.document) ? member(this.document, 'components') : undefined;
    const schemas = isObject(components) ? member(components, 'schemas') : undefined;
    return isObject(schemas) ? schemas : {};
  }
}

/** An ajv that knows the components that its schemas refer to. */
class Engine {
  /** Component name → the key ajv knows it by. */
  private readonly keys = new Map<string, string>();
  /** By the text that ajv sees: schemas that say the same share one function, which so gets hot and stays in the caches. */
  private readonly byText = new Map<string, ValidateFunction>();
  /** Components that have a key, but that ajv does not know yet. */
  private pending: string[] = [];

  constructor(
    private readonly ajv: Ajv2020,
    private readonly schemas: JsonObject,
  ) {}

  compile(schema: Json): ValidateFunction {
    const prepared = this.prepare(schema);
    // A list that grows is walked to its new end.
    for (const name of this.pending) {
      this.ajv.addSchema(this.prepare(member(this.schemas, name) ?? true), this.keys.get(name));
    }
    this.pending = [];
    const text = stringifyExact(prepared);
    const validate = this.byText.get(text) ?? this.ajv.compile(prepared);
    this.byText.set(text, validate);
    return validate;
  }

  /** What ajv gets to see: the keywords that judge, what its errors quote, and references by the keys of components. */
  private prepare(schema: Json): JsonObject | boolean {
    const prepared = transform('schema', schema, '', {
      reference: (_kind: Kind, ref: string) => this.keyOf(nameOf(ref)) ?? ref,
      enter: (_kind: Kind, object: JsonObject) =>
        Object.fromEntries(
          Object.entries(object).filter(([keyword]) => isJudging(keyword) || keyword === 'description'),
        ),
    });
    return prepared as JsonObject | boolean;
  }

  /** The key of a component; undefined when there is none of that name. */
  private keyOf(name: string): string | undefined {
    const known = this.keys.get(name);
    if (known !== undefined || member(this.schemas, name) === undefined) return known;
    const key = `component${this.keys.size}`;
    this.keys.set(name, key);
    this.pending.push(name);
    return key;
  }
}

function nameOf(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1);
}
