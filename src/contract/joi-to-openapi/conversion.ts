/** Types that the parts of the converter share. */
import type { JsonObject } from '../json.ts';
import type { Described, DescribedPreferences } from './described.ts';

/**
 * Purpose of a schema. `json`: JSON that Joi converts; `text`: parameters whose text the gateway
 * first converts to numbers and booleans; `output`: the result of Joi, for replies.
 */
export type Mode = 'json' | 'text' | 'output';

/** A schema, and notes about what it cannot express. */
export interface Sketch {
  schema: JsonObject;
  readonly notes: string[];
}

/** Position of the conversion in the schema. */
export interface Scope {
  /** The enclosing descriptions, innermost first, each with its key in the one that contains it. */
  readonly around: readonly { readonly described: Described; readonly key: string | undefined }[];
  readonly preferences: DescribedPreferences;
}

/** The converter, as seen by its parts: objects and arrays convert their members through it. */
export interface Conversion {
  readonly mode: Mode;
  /** Converts a description. `key` is its name in the containing object. */
  convert(described: Described, outer: Scope, key?: string): JsonObject;
}
