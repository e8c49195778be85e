/** The ajv instances that compile schemas. */
import type { CodeKeywordDefinition } from 'ajv';
import { _, Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { canonical, type Json } from '../../contract/json.ts';
import { isMultiple } from '../../core/json/decimal.ts';
import { exactKeywords } from './exact-keywords.ts';
import { compilePattern } from './patterns.ts';
import { refKeyword } from './ref-keyword.ts';
import { Verdicts } from './verdicts.ts';

/** 2^63, the first integer beyond `format: int64`. */
const INT64_END = 2 ** 63;

/** How an ajv judges. */
export interface AjvSettings {
  readonly allErrors?: boolean;
  /** References to components whose verdicts are remembered. */
  readonly repeated?: ReadonlySet<string>;
  /** Where they are; to be cleared after each value. */
  readonly verdicts?: Verdicts;
}

/**
 * `patternProperties` beside a union notes the members that it judged in a set that ajv only makes when a form of the
 * union fits; where none does, the compiled function would throw a TypeError.
 */
function withEvaluatedSet(code: string): string {
  return code.replace(/\b(props\d+)\[(key\d+)\] = true/g, '($1 ??= {})[$2] = true');
}

/**
 * An ajv for OpenAPI 3.1: nothing coerced, filled in or logged; only members that an object has itself count;
 * patterns as `compilePattern` reads them; `uniqueItems` in time linear to the array; `multipleOf` in decimals.
 */
export function createAjv({
  allErrors = true,
  repeated = new Set(),
  verdicts = new Verdicts(),
}: AjvSettings = {}): Ajv2020 {
  const engine = Object.assign((pattern: string) => compilePattern(pattern), { code: 'compilePattern' });
  const ajv = new Ajv2020({
    strict: false,
    strictNumbers: true,
    allErrors,
    // Errors bring their schemas along, for the sentences made of them.
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
  const own = ajv.getKeyword('$ref') as CodeKeywordDefinition;
  ajv.removeKeyword('$ref');
  ajv.addKeyword(refKeyword(own, repeated, verdicts));
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    error: { message: 'must not have two items that are the same' },
    compile: (unique: boolean) => (items: Json[]) =>
      !unique || new Set(items.map(canonical)).size === items.length,
  });
  // The keyword of ajv divides doubles: it finds that 19.99 is not a multiple of 0.01.
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

/** An ajv that judges numbers by all their digits: those of schemas, and those of {@link validateExactly}. */
export function createExactAjv(settings: AjvSettings = {}): Ajv2020 {
  const ajv = createAjv(settings);
  for (const definition of exactKeywords()) {
    ajv.removeKeyword(String(definition.keyword));
    ajv.addKeyword(definition);
  }
  return ajv;
}
