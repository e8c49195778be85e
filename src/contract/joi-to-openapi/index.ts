/**
 * joi-to-openapi: converts Joi schemas to JSON Schema 2020-12, based on `describe()`. `convert.ts`
 * is the core; there is one file per kind of type.
 */
import type { Schema } from 'joi';
import { ContractError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { Mode } from './conversion.ts';
import { Converter } from './convert.ts';
import type { Described, DescribedPreferences } from './described.ts';

export type { Mode };

/** A JSON Schema, and the definitions for its `#/$defs/…` references. */
export interface ConvertedSchema {
  readonly schema: JsonObject;
  readonly definitions: Readonly<Record<string, JsonObject>>;
}

/**
 * Converts a Joi schema. The JSON Schema accepts whatever Joi accepts; rules that it cannot express
 * are in descriptions.
 * @param mode purpose of the schema; see {@link Mode}.
 * @param preferences Joi preferences used for validation, such as `convert: false`.
 * @throws {ContractError} when Joi cannot describe the schema.
 */
export function joiToSchema(
  schema: Schema,
  mode: Mode = 'json',
  preferences: DescribedPreferences = {},
): ConvertedSchema {
  const converter = new Converter(mode);
  const described = describe(schema);
  const converted = converter.convert(described, { around: [], preferences });
  return { schema: converted, definitions: converter.definitions };
}

function describe(schema: Schema): Described {
  try {
    return schema.describe() as unknown as Described;
  } catch (cause) {
    // Joi cannot describe a schema that allows a number beyond the safe integers.
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ContractError(`Joi cannot describe the schema: ${reason}`, {}, { cause });
  }
}
