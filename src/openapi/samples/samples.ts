/** Values of the schemas of a document. Each one was validated. */
import type { OpenAPIV3_1 } from 'openapi-types';
import { at, isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import { SchemaCompiler, type ValidateFunction } from '../checks/validators.ts';
import type { Direction } from '../model/direction.ts';
import { type Extent, Unsatisfiable, ValueMaker } from './maker.ts';
import { Random } from './random.ts';
import type { Characters } from './texts.ts';
import { type Variant, variantsOf } from './variants.ts';

/** Options of a sample. */
export interface SampleOptions {
  /** @defaultValue undefined, which includes the members of both directions */
  readonly direction?: Direction;
  /** Whether examples and defaults of schemas take precedence. @defaultValue false */
  readonly examples?: boolean;
  /** @defaultValue 'any' */
  readonly characters?: Characters;
}

/** Attempts to make a valid value: combinations such as `not` and `oneOf` are met by chance. */
const ATTEMPTS = 40;

/** Makes values of the schemas of one document. */
export class Samples {
  private readonly document: Json;
  private readonly schemas: JsonObject;
  private readonly compiler: SchemaCompiler;

  /**
   * @param document a normalised document: that of an `ApiSnapshot`.
   * @param seed the same seed returns the same values.
   */
  constructor(
    document: OpenAPIV3_1.Document,
    private readonly seed: number,
  ) {
    this.document = document as unknown as Json;
    const components = member(this.document as JsonObject, 'components');
    const schemas = isObject(components) ? member(components, 'schemas') : undefined;
    this.schemas = isObject(schemas) ? schemas : {};
    this.compiler = new SchemaCompiler({ document });
  }

  /**
   * Returns a value that conforms to the schema at a JSON pointer; undefined if none was found.
   *
   * @param label distinguishes values of the same schema.
   */
  valid(
    pointer: string,
    extent: Extent,
    label: string | number,
    options: SampleOptions = {},
  ): Json | undefined {
    const schema = this.schemaAt(pointer);
    const validate = this.validator(pointer, options.direction);
    const { direction, characters = 'any' } = options;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const random = new Random(this.seed, pointer, label, attempt);
      // If the examples or the first alternatives do not conform, others may.
      const examples = options.examples === true && attempt === 0;
      const tried: Extent = attempt < 4 ? extent : attempt % 2 === 0 ? 'minimal' : 'random';
      const maker = new ValueMaker(this.schemas, { random, extent: tried, direction, examples, characters });
      try {
        const value = maker.make(schema);
        if (validate(value)) return value;
      } catch (error) {
        if (!(error instanceof Unsatisfiable)) throw error;
      }
    }
    return undefined;
  }

  /**
   * Returns variants of a value: conforming ones at the bounds of its schema, or those that its
   * schema rejects.
   *
   * @param limit maximum number of variants.
   */
  variants(
    pointer: string,
    value: Json,
    wanted: 'valid' | 'invalid',
    limit: number,
    direction?: Direction,
  ): Variant[] {
    const validate = this.validator(pointer, direction);
    const found: Variant[] = [];
    for (const variant of variantsOf(this.schemaAt(pointer), this.schemas, value)) {
      if (found.length >= limit) break;
      if (validate(variant.value) === (wanted === 'valid')) found.push(variant);
    }
    return found;
  }

  /** Returns the validator of the schema at a JSON pointer. */
  validator(pointer: string, direction?: Direction): ValidateFunction {
    return this.compiler.compile(pointer, { direction });
  }

  private schemaAt(pointer: string): Json {
    return at(this.document, pointer) ?? true;
  }
}
