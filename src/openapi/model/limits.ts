/**
 * Limits on a source, and the plain copy of it that all other steps work on. The copy consists of
 * plain JSON within the limits and shares no objects with the original.
 */
import { ContractError } from '../../contract/errors.ts';
import { type Json, pointerOf } from '../../contract/json.ts';
import { ExactNumber } from '../../core/json/exact-json.ts';
import { runAtOnce, type Steps } from '../../core/time/steps.ts';
import { SpelledNumber } from './spelled-number.ts';

/** Limits on one fragment or document. */
export interface ContractLimits {
  /** Maximum size as JSON text, in bytes. */
  readonly bytes: number;
  /** Maximum levels of nesting. */
  readonly depth: number;
  /** Maximum number of operations. */
  readonly operations: number;
  /** Maximum number of parameters of one operation. */
  readonly parameters: number;
  /** Maximum length of a regular expression, in characters. */
  readonly patternLength: number;
  /** Maximum length of a path template with its prefix, in characters. */
  readonly pathLength: number;
  /** Maximum length of the name of an event, operation, parameter or component, in characters. */
  readonly nameLength: number;
  /** Maximum number of components of all kinds. */
  readonly components: number;
  /** Maximum number of schema objects that one operation may reach. */
  readonly schemas: number;
  /** Maximum length of a chain of references between schemas. */
  readonly references: number;
}

/** Limits on contracts that workers announce. */
export const WORKER_LIMITS: ContractLimits = {
  bytes: 1024 * 1024,
  depth: 64,
  operations: 5000,
  parameters: 200,
  patternLength: 1000,
  pathLength: 1000,
  nameLength: 256,
  components: 2000,
  schemas: 2000,
  references: 200,
};

/** Limits on the operator's documents. They are generous and only guard against accidents. */
export const DOCUMENT_LIMITS: ContractLimits = {
  bytes: 64 * 1024 * 1024,
  depth: 500,
  operations: 50_000,
  parameters: 1000,
  patternLength: 100_000,
  pathLength: 4000,
  nameLength: 1000,
  components: 100_000,
  schemas: Infinity,
  references: 1000,
};

interface Budget {
  left: number;
  readonly limits: ContractLimits;
  readonly keepSpelling: boolean;
}

/**
 * Returns a plain copy of a JSON value.
 *
 * @param keepSpelling whether numbers keep the spelling of their file; otherwise they are converted
 *   to numbers.
 * @throws {ContractError} when the value is too large or nested too deeply, contains values that
 *   JSON cannot represent, or has a member named `__proto__`, for which a schema could not be
 *   enforced.
 */
export function plainCopy(value: unknown, limits: ContractLimits, keepSpelling = false): Json {
  return runAtOnce(plainCopying(value, limits, keepSpelling));
}

/** Does the same as `plainCopy`, in steps. */
export function plainCopying(value: unknown, limits: ContractLimits, keepSpelling = false): Steps<Json> {
  return copying(value, [], { left: limits.bytes, limits, keepSpelling });
}

/** Levels whose members are separate steps; path items and components are below them. */
const STEP_LEVELS = 3;

/** Does the same as `copy`. Each member of an object in the upper levels is a separate step. */
function* copying(value: unknown, location: (string | number)[], budget: Budget): Steps<Json> {
  if (location.length >= STEP_LEVELS || !isPlain(value)) return copy(value, location, budget);
  const copied: Record<string, Json> = {};
  for (const [name, item] of membersOf(value, location, budget)) {
    yield;
    location.push(name);
    copied[name] = yield* copying(item, location, budget);
    location.pop();
  }
  return copied;
}

function copy(value: unknown, location: (string | number)[], budget: Budget): Json {
  switch (typeof value) {
    case 'string':
      spend(budget, value.length + 2);
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw invalid(location, `${value} is not a JSON number`);
      spend(budget, 1);
      return value;
    case 'boolean':
      spend(budget, 4);
      return value;
    case 'object':
      if (value === null) {
        spend(budget, 4);
        return null;
      }
      if (value instanceof ExactNumber || value instanceof SpelledNumber) return copyNumber(value, budget);
      if (location.length >= budget.limits.depth) {
        throw invalid(location.slice(0, 8), `nested deeper than ${budget.limits.depth} levels`);
      }
      return Array.isArray(value) ? copyArray(value, location, budget) : copyObject(value, location, budget);
    case 'undefined':
    case 'bigint':
    case 'symbol':
    case 'function':
      throw invalid(location, `a ${typeof value} is not a JSON value`);
  }
}

function copyNumber(value: ExactNumber | SpelledNumber, budget: Budget): Json {
  spend(budget, value.text.length);
  const kept = value instanceof ExactNumber || budget.keepSpelling ? value : value.number;
  // The type `Json` does not include spelled numbers. Only the loader, which requests them,
  // receives any.
  return kept as Json;
}

function copyArray(value: readonly unknown[], location: (string | number)[], budget: Budget): Json[] {
  spend(budget, value.length + 2);
  return Array.from(value, (item, index) => {
    location.push(index);
    const copied = copy(item, location, budget);
    location.pop();
    return copied;
  });
}

function copyObject(value: object, location: (string | number)[], budget: Budget): Json {
  if (!isPlain(value)) throw invalid(location, 'not a plain JSON object');
  const copied: Record<string, Json> = {};
  for (const [name, item] of membersOf(value, location, budget)) {
    location.push(name);
    copied[name] = copy(item, location, budget);
    location.pop();
  }
  return copied;
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Yields the members of an object to copy and charges their names to the budget. */
function* membersOf(
  value: object,
  location: readonly (string | number)[],
  budget: Budget,
): Iterable<readonly [string, unknown]> {
  for (const [name, item] of Object.entries(value)) {
    if (item === undefined) continue;
    if (name === '__proto__') throw invalid(location, 'a member must not be named __proto__');
    spend(budget, name.length + 4);
    yield [name, item];
  }
}

function spend(budget: Budget, bytes: number): void {
  budget.left -= bytes;
  if (budget.left < 0) throw new ContractError(`larger than ${budget.limits.bytes} bytes`);
}

function invalid(location: readonly (string | number)[], reason: string): ContractError {
  return new ContractError(reason, { pointer: pointerOf(...location) });
}
