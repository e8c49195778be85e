/** What the parts of the converter share: its mode, and how a part converts the schemas inside its own. */
import type { JsonObject } from '../json.ts';
import type { Described, DescribedPreferences } from './described.ts';

/**
 * What the schema is for. `json`: JSON that Joi is going to convert; `text`: parameters, whose text the gateway
 * turns into numbers and booleans before; `output`: what Joi makes of it, for replies.
 */
export type Mode = 'json' | 'text' | 'output';

/** A schema, and what it cannot say. */
export interface Sketch {
  schema: JsonObject;
  readonly notes: string[];
}

/** Where in the schema the conversion is. */
export interface Scope {
  /** The descriptions around, innermost first, each with its key in the one around it. */
  readonly around: readonly { readonly described: Described; readonly key: string | undefined }[];
  readonly preferences: DescribedPreferences;
}

/** The converter as its parts see it: objects and arrays convert their members through it. */
export interface Conversion {
  readonly mode: Mode;
  /** Converts a description. `key` is its name in the object around it. */
  convert(described: Described, outer: Scope, key?: string): JsonObject;
}
