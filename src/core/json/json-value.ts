/**
 * Serializes values as JSON and rejects values that `JSON.stringify` would change silently: it
 * writes a Map as `{}` and NaN as `null`. Instances of classes with own properties, properties with
 * the value `undefined`, and `toJSON` are handled like there.
 */
import {
  isAnyArrayBuffer,
  isArrayBufferView,
  isBoxedPrimitive,
  isDate,
  isMap,
  isNativeError,
  isPromise,
  isSet,
} from 'node:util/types';
import { stringifyNumbers } from './exact-json.ts';

/**
 * A value that JSON cannot represent. The message has the type of the value and its location, but
 * not its content.
 */
export class UnsendableValueError extends TypeError {
  override readonly name = 'UnsendableValueError';

  constructor({ path, what }: Unsendable) {
    const pointer = path.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
    super(`${what} has no JSON form${pointer === '' ? '' : ` (at ${pointer})`}`);
  }
}

/** A value that JSON cannot represent, and the keys that lead to it. */
interface Unsendable {
  readonly path: string[];
  readonly what: string;
}

/**
 * Serializes a value as JSON. `undefined` becomes null, a bigint keeps all its digits.
 *
 * @throws {UnsendableValueError} when JSON cannot represent a value in it; the message has its
 * location as a JSON Pointer (RFC 6901).
 */
export function jsonText(value: unknown): string {
  if (value === undefined) return 'null';
  const text = written(value);
  const fault = findUnsendable(value, undefined);
  if (fault !== undefined) throw new UnsendableValueError(fault);
  if (text === undefined) throw new UnsendableValueError({ path: [], what: `a ${typeof value}` });
  return text;
}

function written(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    // The cause is a cycle, a bigint, or code of the value that throws. Only a bigint can be
    // written.
    const fault = findUnsendable(value, new Set());
    if (fault !== undefined) throw new UnsendableValueError(fault);
    return stringifyNumbers(value);
  }
}

/**
 * Finds the first value that JSON cannot represent.
 *
 * @param above the objects that contain the value. With it, cycles and throwing getters or `toJSON`
 * are found, too.
 */
function findUnsendable(value: unknown, above: Set<object> | undefined): Unsendable | undefined {
  if (typeof value === 'number') {
    return Number.isFinite(value) ? undefined : { path: [], what: String(value) };
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (above === undefined) return findInObject(value, above);
  if (above.has(value)) return { path: [], what: 'a value that holds itself' };
  above.add(value);
  try {
    return findInObject(value, above);
  } catch {
    return { path: [], what: 'a value whose code throws' };
  } finally {
    above.delete(value);
  }
}

function findInObject(value: object, above: Set<object> | undefined): Unsendable | undefined {
  if (Array.isArray(value)) return findInArray(value, above);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    const what = unsendable(value);
    if (what !== undefined) return { path: [], what };
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    if (above !== undefined) (value.toJSON as () => unknown)();
    return undefined;
  }
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key];
    // Most members are strings, which need no call.
    if (typeof member === 'string') continue;
    const fault = findUnsendable(member, above);
    if (fault === undefined || !Object.hasOwn(value, key)) continue;
    fault.path.unshift(key);
    return fault;
  }
  return undefined;
}

function findInArray(values: readonly unknown[], above: Set<object> | undefined): Unsendable | undefined {
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index];
    if (typeof value === 'string') continue;
    const lost = typeof value === 'function' || typeof value === 'symbol';
    const fault = lost ? { path: [], what: `a ${typeof value}` } : findUnsendable(value, above);
    if (fault === undefined) continue;
    fault.path.unshift(String(index));
    return fault;
  }
  return undefined;
}

/** Describes an object whose content JSON would lose; undefined for one that can be written. */
function unsendable(value: object): string | undefined {
  if (isDate(value)) return Number.isNaN(value.getTime()) ? 'an invalid Date' : undefined;
  if (isArrayBufferView(value) || isAnyArrayBuffer(value)) return describeClass(value);
  if ('toJSON' in value && typeof value.toJSON === 'function') return undefined;
  if (isBoxedPrimitive(value)) return isUnwritten(value.valueOf()) ? describeClass(value) : undefined;
  const lossy = isNativeError(value) || isMap(value) || isSet(value) || isPromise(value) || isStream(value);
  // Content outside own properties: Response, generators, classes with private fields.
  return lossy || Object.keys(value).length === 0 ? describeClass(value) : undefined;
}

function isUnwritten(primitive: unknown): boolean {
  return typeof primitive === 'number' ? !Number.isFinite(primitive) : typeof primitive === 'symbol';
}

function isStream(value: object): boolean {
  return Symbol.asyncIterator in value || ('pipe' in value && typeof value.pipe === 'function');
}

function describeClass(value: object): string {
  const { constructor } = value as { constructor?: unknown };
  const tag = Object.prototype.toString.call(value).slice('[object '.length, -1);
  const name = typeof constructor === 'function' && constructor.name !== '' ? constructor.name : tag;
  return `a value of the class ${name.slice(0, 100)}`;
}
