/**
 * joi-to-openapi: a schema of Joi as JSON Schema 2020-12, from `describe()`. `convert.ts` is its heart; there is
 * a file for each kind of type.
 */
import type { Schema } from 'joi';
import { ContractError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { Mode } from './conversion.ts';
import { Converter } from './convert.ts';
import type { Described, DescribedPreferences } from './described.ts';

export type { Mode };

/** A JSON Schema, and the definitions that its `#/$defs/…` references name. */
export interface ConvertedSchema {
  readonly schema: JsonObject;
  readonly definitions: Readonly<Record<string, JsonObject>>;
}

/**
 * Converts a schema of Joi. What Joi takes always passes the JSON Schema; what it cannot say is in descriptions.
 * @param mode `json` (default): for JSON that Joi converts, so that a number may be text; `text`: for parameters
 *   that are turned into numbers and booleans before; `output`: for what Joi makes of it.
 * @param preferences those that the schema is validated with, such as `convert: false`.
 * @throws ContractError when Joi cannot describe the schema.
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
    // It cannot where a value that is allowed is a number beyond the safe integers.
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ContractError(`Joi cannot describe the schema: ${reason}`, {}, { cause });
  }
}
