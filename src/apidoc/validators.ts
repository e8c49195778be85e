/**
 * Validators, compiled from the very document that is served, each when it is first asked for.
 */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { ContractError } from '../contract/errors.ts';
import { at, canonical, isObject, type Json, type JsonObject, member } from '../contract/json.ts';
import { type Kind, transform } from '../contract/shapes.ts';
import type { ApiSnapshot } from './operation.ts';
import { compilePattern } from './patterns.ts';
import { isJudging } from './schema.ts';

export type { ErrorObject, ValidateFunction };

/** A validator, and the components it was compiled with. */
interface Compiled {
  readonly validate: ValidateFunction;
  readonly with: ReadonlyMap<string, Json>;
}

/** Validators by the schema object: what a change of the document leaves alone is not compiled again. */
const COMPILED = new WeakMap<object, Compiled>();

/** Compiles the schemas of one snapshot. */
export class SchemaCompiler {
  private ajv: Ajv2020 | undefined;
  private readonly document: Json;
  private readonly schemas: JsonObject;
  /** Component name → the key ajv knows it by. */
  private readonly keys = new Map<string, string>();
  private readonly compiled = new Map<string, ValidateFunction>();
  /** By the text that ajv sees: schemas that say the same share one function, which so gets hot and stays in the caches. */
  private readonly byText = new Map<string, ValidateFunction>();

  constructor(snapshot: Pick<ApiSnapshot, 'document'>) {
    this.document = snapshot.document as unknown as Json;
    this.schemas = this.components();
    for (const name of Object.keys(this.schemas)) this.keys.set(name, `component${this.keys.size}`);
  }

  /**
   * The validator of the schema at a JSON pointer of the document (`ParameterBinding.pointer` and the like).
   * It collects all errors; data is never changed.
   * @throws ContractError when ajv cannot compile it.
   */
  compile(pointer: string): ValidateFunction {
    const known = this.compiled.get(pointer);
    if (known !== undefined) return known;
    const schema = at(this.document, pointer) ?? true;
    try {
      const validate = this.reuse(schema) ?? this.compileAnew(schema);
      this.compiled.set(pointer, validate);
      return validate;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ContractError(`the schema cannot be compiled: ${reason}`, { pointer }, { cause });
    }
  }

  private reuse(schema: Json): ValidateFunction | undefined {
    const compiled = isObject(schema) ? COMPILED.get(schema) : undefined;
    if (compiled === undefined) return undefined;
    for (const [name, component] of compiled.with) if (this.schemas[name] !== component) return undefined;
    return compiled.validate;
  }

  private compileAnew(schema: Json): ValidateFunction {
    const prepared = this.prepare(schema);
    const text = JSON.stringify(prepared);
    const validate = this.byText.get(text) ?? this.engine().compile(prepared);
    this.byText.set(text, validate);
    if (isObject(schema)) COMPILED.set(schema, { validate, with: this.reached(schema) });
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

  private engine(): Ajv2020 {
    if (this.ajv !== undefined) return this.ajv;
    this.ajv = createAjv();
    for (const [name, schema] of Object.entries(this.schemas)) {
      this.ajv.addSchema(this.prepare(schema), this.keys.get(name));
    }
    return this.ajv;
  }

  private components(): JsonObject {
    const components = isObject(this.document) ? member(this.document, 'components') : undefined;
    const schemas = isObject(components) ? member(components, 'schemas') : undefined;
    return isObject(schemas) ? schemas : {};
  }

  /** What ajv gets to see: the keywords that judge, what its errors quote, and references by the keys of components. */
  private prepare(schema: Json): JsonObject | boolean {
    const prepared = transform('schema', schema, '', {
      reference: (_kind: Kind, ref: string) => this.keys.get(nameOf(ref)) ?? ref,
      enter: (_kind: Kind, object: JsonObject) =>
        Object.fromEntries(
          Object.entries(object).filter(([keyword]) => isJudging(keyword) || keyword === 'description'),
        ),
    });
    return prepared as JsonObject | boolean;
  }
}

function nameOf(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1);
}

/**
 * An ajv for OpenAPI 3.1: nothing coerced, filled in or logged; only members that an object has itself count;
 * patterns as `compilePattern` reads them; `uniqueItems` in time linear to the array.
 */
export function createAjv(): Ajv2020 {
  const engine = Object.assign((pattern: string) => compilePattern(pattern), { code: 'compilePattern' });
  const ajv = new Ajv2020({
    strict: false,
    strictNumbers: true,
    allErrors: true,
    // Errors bring their schemas along, for the sentences made of them.
    verbose: true,
    ownProperties: true,
    validateSchema: false,
    addUsedSchema: false,
    logger: false,
    code: { regExp: engine },
  });
  addFormats.default(ajv);
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    error: { message: 'must not have two items that are the same' },
    compile: (unique: boolean) => (items: Json[]) =>
      !unique || new Set(items.map(canonical)).size === items.length,
  });
  return ajv;
}
