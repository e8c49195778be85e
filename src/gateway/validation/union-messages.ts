/**
 * Summarises errors of `anyOf`, `oneOf` and `not` in one sentence, in place of all errors of their
 * subschemas.
 */

import { EXCEPTIONS } from '../../contract/index.ts';
import { isObject, type Json, member } from '../../contract/json.ts';
import type { ErrorObject } from '../../openapi/index.ts';
import type { RequestIssue } from '../common/problem.ts';

/** An issue with the error that it describes. */
export interface DescribedError extends RequestIssue {
  readonly error: ErrorObject;
  /** The sentence about the value itself, and not about its member. */
  readonly ownDetail: string;
}

/** Whether a value matches no subschema of `anyOf` or `oneOf`. */
export function isUnmatchedUnion({ keyword, params }: ErrorObject): boolean {
  return keyword === 'anyOf' || (keyword === 'oneOf' && params['passingSchemas'] === null);
}

/**
 * Summarises the errors of all subschemas, if all of them are about the value itself.
 * @param errors the errors before this one; ajv puts those of the subschemas last.
 * @returns the sentence and how many errors it replaces; undefined if they cannot be summarised.
 */
export function summariseUnion(
  error: ErrorObject,
  errors: readonly DescribedError[],
): { detail: string; count: number } | undefined {
  const prefix = `${error.schemaPath}/`;
  let start = errors.length;
  while (start > 0 && errors[start - 1]?.error.schemaPath.startsWith(prefix) === true) start -= 1;
  const own = errors.slice(start);
  const forms = new Map<string, DescribedError[]>();
  for (const finding of own) {
    if (finding.error.instancePath !== error.instancePath) return undefined;
    const form = finding.error.schemaPath.slice(prefix.length).split('/')[0] ?? '';
    forms.set(form, [...(forms.get(form) ?? []), finding]);
  }
  // The errors of a subschema that is a reference have another schema path.
  if (!Array.isArray(error.schema) || forms.size !== error.schema.length) return undefined;
  const all = [...forms.values()];
  const usual = all.filter(
    (form) => !form.some(({ error: { params } }) => EXCEPTIONS.has(String(params['pattern']))),
  );
  const detail = missing(error, usual) ?? sentences(usual.length === 0 ? all : usual);
  return { detail, count: own.length };
}

/** The sentence if each subschema only requires one member. */
function missing(
  { keyword }: ErrorObject,
  forms: readonly (readonly DescribedError[])[],
): string | undefined {
  const names = forms.map(([first, ...more]) =>
    first?.error.keyword === 'required' && more.length === 0
      ? String(first.error.params['missingProperty'])
      : undefined,
  );
  if (names.length < 2 || names.includes(undefined)) return undefined;
  return `must have ${keyword === 'oneOf' ? 'exactly' : 'at least'} one of ${names.join(', ')}`;
}

function sentences(forms: readonly (readonly DescribedError[])[]): string {
  const texts = forms.map((form) => [...new Set(form.map(({ ownDetail: own }) => own))].join(' and '));
  return [...new Set(texts)].join(', or ');
}

/** The sentence if several subschemas of `oneOf` match. */
export function severalMatches({ schema }: ErrorObject): string {
  const names = namesIn(schema);
  return names === undefined
    ? 'matches more than one of the allowed schemas'
    : `must have only one of ${names.join(', ')}`;
}

/** The sentence for `not`. */
export function notMessage({ schema, schemaPath }: ErrorObject): string {
  const form: Json = schema as Json;
  const together = isObject(form) ? requiredBy(form) : undefined;
  if (together !== undefined)
    return `must not have ${together.join(' and ')}${together.length > 1 ? ' together' : ''}`;
  const any = isObject(form) ? member(form, 'anyOf') : undefined;
  const names = namesIn(any);
  const beside = /\/dependentSchemas\/([^/]+)\/not$/.exec(schemaPath)?.[1];
  if (names !== undefined) {
    return `must not have ${names.join(' or ')}${beside === undefined ? '' : ` together with ${decodeURIComponent(beside)}`}`;
  }
  const pairs = Array.isArray(any) ? any.map((one) => (isObject(one) ? requiredBy(one) : undefined)) : [];
  return pairs.length > 0 && pairs.every((pair) => pair !== undefined)
    ? `must have only one of ${[...new Set(pairs.flat())].join(', ')}`
    : 'matches a schema that is not allowed';
}

/** The members that schemas require, if each requires one and nothing else. */
function namesIn(forms: unknown): string[] | undefined {
  if (!Array.isArray(forms)) return undefined;
  const all = (forms as Json[]).map((form) => (isObject(form) ? requiredBy(form) : undefined));
  return all.every((names) => names?.length === 1) ? all.flatMap((names) => names ?? []) : undefined;
}

/** The members that a schema requires, if it contains nothing else. */
function requiredBy(form: Record<string, Json>): string[] | undefined {
  const names = member(form, 'required');
  return Array.isArray(names) && Object.keys(form).length === 1 ? names.map(String) : undefined;
}
