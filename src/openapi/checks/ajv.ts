/**
 * Checks: compiled validators with limits on their time and memory, patterns as automata, the
 * complexity limit for contracts, and the comparison of two versions of a contract.
 *
 * This file creates the ajv instances that compile schemas.
 */
import type { CodeKeywordDefinition } from 'ajv';
import { _, Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { ISO_DATE, ISO_DATE_EXTENSION } from '../../contract/joi-to-openapi/formats.ts';
import { canonical, type Json } from '../../contract/json.ts';
import { isMultiple } from '../../core/json/decimal.ts';
import { exactKeywords } from './exact-keywords.ts';
import { compilePattern } from './patterns.ts';
import { refKeyword } from './ref-keyword.ts';
import { ResultCache } from './result-cache.ts';

/** 2^63, the smallest integer that exceeds `format: int64`. */
const INT64_END = 2 ** 63;

/** Settings of an ajv instance. */
export interface AjvSettings {
  readonly allErrors?: boolean;
  /** References to components whose results are cached; see `repeated.ts`. */
  readonly repeated?: ReadonlySet<string>;
  /** The cache for these results. The caller clears it after each value. */
  readonly cache?: ResultCache;
}

/**
 * Works around a defect of ajv. `patternProperties` next to a union records the members it has
 * evaluated in a set that ajv creates only if a branch of the union matches. If no branch does, the
 * compiled function would throw a TypeError.
 */
function withEvaluatedSet(code: string): string {
  return code.replace(/\b(props\d+)\[(key\d+)\] = true/g, '($1 ??= {})[$2] = true');
}

/**
 * Creates an ajv instance for OpenAPI 3.1. It does not coerce values, insert defaults or log, and
 * it ignores inherited members. Patterns are compiled by `compilePattern`, `uniqueItems` takes time
 * linear in the length of the array, and `multipleOf` uses decimal arithmetic.
 */
export function createAjv({
  allErrors = true,
  repeated = new Set(),
  cache = new ResultCache(),
}: AjvSettings = {}): Ajv2020 {
  const engine = Object.assign((pattern: string) => compilePattern(pattern), { code: 'compilePattern' });
  const ajv = new Ajv2020({
    strict: false,
    strictNumbers: true,
    allErrors,
    // Errors then carry their schemas, which the error messages quote.
    verbose: true,
    ownProperties: true,
    validateSchema: false,
    addUsedSchema: false,
    logger: false,
    code: { regExp: engine, process: withEvaluatedSet },
  });
  addFormats.default(ajv);
  ajv.addFormat('int64', {
    type: 'number',
    validate: (value: number) => Number.isInteger(value) && value >= -INT64_END && value < INT64_END,
  });
  const builtin = ajv.getKeyword('$ref') as CodeKeywordDefinition;
  ajv.removeKeyword('$ref');
  ajv.addKeyword(refKeyword(builtin, repeated, cache));
  addIsoDates(ajv);
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    error: { message: 'must not have two items that are the same' },
    compile: (unique: boolean) => (items: Json[]) =>
      !unique || new Set(items.map(canonical)).size === items.length,
  });
  // ajv divides doubles in `multipleOf`, and so rejects 19.99 as a multiple of 0.01.
  ajv.removeKeyword('multipleOf');
  ajv.addKeyword({
    keyword: 'multipleOf',
    type: 'number',
    schemaType: 'number',
    error: { message: 'must be a multiple', params: ({ schemaCode }) => _`{multipleOf: ${schemaCode}}` },
    compile: (of: number) => (value: number) => isMultiple(value, of),
  });
  return ajv;
}

/** The `format` next to the extension is an annotation: the extension checks the text. */
function addIsoDates(ajv: Ajv2020): void {
  const date = new RegExp(`^(?:${ISO_DATE})$`);
  const format = ajv.getKeyword('format') as CodeKeywordDefinition;
  ajv.removeKeyword('format');
  ajv.addKeyword({
    ...format,
    code: (cxt, ruleType) => {
      if (cxt.parentSchema[ISO_DATE_EXTENSION] !== true) format.code(cxt, ruleType);
    },
  });
  ajv.addKeyword({
    keyword: ISO_DATE_EXTENSION,
    type: 'string',
    schemaType: 'boolean',
    error: { message: 'must be an ISO 8601 date, such as 2026-01-31T12:00:00Z' },
    compile: (on: boolean) => (text: string) => !on || date.test(text),
  });
}

/**
 * Creates an ajv instance that compares numbers digit by digit: numbers in schemas, and numbers in
 * values that {@link validateExactly} validates.
 */
export function createExactAjv(settings: AjvSettings = {}): Ajv2020 {
  const ajv = createAjv(settings);
  for (const definition of exactKeywords()) {
    ajv.removeKeyword(String(definition.keyword));
    ajv.addKeyword(definition);
  }
  return ajv;
}
