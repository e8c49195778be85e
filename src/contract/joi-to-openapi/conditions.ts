/**
 * Conversion of a key's `when` to `if` and `then` of the containing object, where JSON Schema can
 * express it.
 */
import { type JsonObject } from '../json.ts';
import { isConverted } from './array.ts';
import type { Conversion, Scope } from './conversion.ts';
import { type Described, type DescribedTest, overlay } from './described.ts';
import { literalsOf } from './values.ts';

/** Properties of the containing object. */
export interface Siblings {
  readonly keys: Readonly<Record<string, Described>>;
  /** Whether Joi sees the key exactly when the caller sent it. */
  readonly presenceKnown: (name: string) => boolean;
  readonly isRequired: (child: Described) => boolean;
}

/**
 * The condition that a key's `when` adds to the object. Undefined if JSON Schema cannot express it:
 * the `when` refers to something other than a sibling, to a sibling that Joi converts first, or
 * tests more than its presence or value.
 */
export function conditionOf(
  converter: Conversion,
  name: string,
  child: Described,
  siblings: Siblings,
  scope: Scope,
): JsonObject | undefined {
  const { whens, ...base } = child;
  const [when, ...more] = whens ?? [];
  if (when === undefined || more.length > 0 || converter.mode === 'output') return undefined;
  // Other options of a reference (adjust, map, in, iterables) transform the value that it refers
  // to.
  const { path = [], ...special } = when.ref ?? {};
  const [other = '', ...deeper] = path;
  if (deeper.length > 0 || Object.keys(special).length > 0 || other === name) return undefined;
  const sibling = Object.hasOwn(siblings.keys, other) ? siblings.keys[other] : undefined;
  if (sibling === undefined || !siblings.presenceKnown(other) || isConverted(sibling)) return undefined;

  const say = (variant: Described): JsonObject => {
    const {
      title: _title,
      description: _description,
      examples: _examples,
      default: _default,
      ...schema
    } = converter.convert(variant, scope, name);
    return {
      ...(siblings.isRequired(variant) ? { required: [name] } : {}),
      ...(Object.keys(schema).length > 0 ? { properties: { [name]: schema } } : {}),
    };
  };
  const over = (outcome: Described | undefined): JsonObject =>
    say(outcome === undefined ? base : overlay(base, outcome));
  let result: JsonObject | undefined;
  for (const test of [...(when.switch ?? [when])].reverse()) {
    if ((test.then ?? test.otherwise)?.whens !== undefined || test.otherwise?.whens !== undefined)
      return undefined;
    const matches = testOf(test, other);
    if (matches === undefined) return undefined;
    const otherwise = test.otherwise === undefined ? (result ?? over(undefined)) : over(test.otherwise);
    result = { if: matches, then: over(test.then), else: otherwise };
  }
  return result;
}

/** The test as a schema of the object, if that is exact. */
function testOf({ is }: DescribedTest, other: string): JsonObject | undefined {
  if (is === undefined || is.type !== 'any' || is.rules !== undefined || is.invalid !== undefined)
    return undefined;
  const { presence = 'optional', only, ...flags } = is.flags ?? {};
  if (Object.keys(flags).length > 0 || is.whens !== undefined || presence === 'forbidden') return undefined;
  const there: JsonObject = presence === 'required' ? { required: [other] } : {};
  if (is.allow === undefined) return only === true ? undefined : there;
  const { values, dynamic, foreign } = literalsOf(is.allow);
  const plain =
    only === true &&
    !dynamic &&
    !foreign &&
    values.every((value) => typeof value !== 'object' || value === null);
  return plain ? { ...there, properties: { [other]: { enum: [...values] } } } : undefined;
}
