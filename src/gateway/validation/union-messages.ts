/**
 * One sentence for a value that fits none, or too many, of several forms (anyOf, oneOf, not), in place of everything
 * that each form has against it.
 */

import { EXCEPTIONS } from '../../contract/index.ts';
import { isObject, type Json, member } from '../../contract/json.ts';
import type { ErrorObject } from '../../openapi/index.ts';
import type { Fault } from '../common/problem.ts';

/** A fault, and what the error that it comes from says of its place. */
export interface DescribedError extends Fault {
  readonly error: ErrorObject;
  /** What is wrong, said of the value itself and not of its member. */
  readonly ownDetail: string;
}

/** Whether an error is about forms of which at least one should fit. */
export function isUnmatchedUnion({ keyword, params }: ErrorObject): boolean {
  return keyword === 'anyOf' || (keyword === 'oneOf' && params['passingSchemas'] === null);
}

/**
 * One sentence for all that the forms have against a value, if it is all about the value itself.
 * @param findings those before the error; ajv puts what the forms say at their end.
 * @returns the sentence and how many findings it stands for; undefined when each must speak for itself.
 */
export function summariseUnion(
  error: ErrorObject,
  findings: readonly DescribedError[],
): { detail: string; count: number } | undefined {
  const prefix = `${error.schemaPath}/`;
  let start = findings.length;
  while (start > 0 && findings[start - 1]?.error.schemaPath.startsWith(prefix) === true) start -= 1;
  const own = findings.slice(start);
  const forms = new Map<string, DescribedError[]>();
  for (const finding of own) {
    if (finding.error.instancePath !== error.instancePath) return undefined;
    const form = finding.error.schemaPath.slice(prefix.length).split('/')[0] ?? '';
    forms.set(form, [...(forms.get(form) ?? []), finding]);
  }
  // A form that is a reference tells its faults elsewhere.
  if (!Array.isArray(error.schema) || forms.size !== error.schema.length) return undefined;
  const all = [...forms.values()];
  const usual = all.filter(
    (form) => !form.some(({ error: { params } }) => EXCEPTIONS.has(String(params['pattern']))),
  );
  const detail = missing(error, usual) ?? sentences(usual.length === 0 ? all : usual);
  return { detail, count: own.length };
}

/** The sentence where each form only asks for a member. */
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

/** The sentence for `oneOf` of which several fit. */
export function severalMatches({ schema }: ErrorObject): string {
  const names = namesIn(schema);
  return names === undefined
    ? 'matches more than one of the forms allowed'
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
    return `must not have ${names.join(' or ')}${beside === undefined ? '' : ` beside ${decodeURIComponent(beside)}`}`;
  }
  const pairs = Array.isArray(any) ? any.map((one) => (isObject(one) ? requiredBy(one) : undefined)) : [];
  return pairs.length > 0 && pairs.every((pair) => pair !== undefined)
    ? `must have only one of ${[...new Set(pairs.flat())].join(', ')}`
    : 'has a form that is not allowed';
}

/** The members that forms ask for, if each asks for one and nothing else. */
function namesIn(forms: unknown): string[] | undefined {
  if (!Array.isArray(forms)) return undefined;
  const all = (forms as Json[]).map((form) => (isObject(form) ? requiredBy(form) : undefined));
  return all.every((names) => names?.length === 1) ? all.flatMap((names) => names ?? []) : undefined;
}

/** The members that a form asks for, if it asks for nothing else. */
function requiredBy(form: Record<string, Json>): string[] | undefined {
  const names = member(form, 'required');
  return Array.isArray(names) && Object.keys(form).length === 1 ? names.map(String) : undefined;
}
