/** Removes secrets from logs, by the names of fields. */

/** Names of secret fields. */
const SECRET =
  /^(?:proxy-?)?authorization$|^(?:set-?)?cookie2?$|passw(?:or)?d|passphrase|secret|credential|api[-_]?key|private[-_]?key|token$/i;

/** Replaces a secret. */
export const CENSORED = '[redacted]';

/** Maximum depth at which fields are checked. */
const DEPTH = 6;

/**
 * Returns the value with all secrets replaced, or the same object if there are none. Checks only
 * plain objects and arrays.
 */
export function redact<T>(value: T): T {
  return redacted(value, DEPTH) as T;
}

function redacted(value: unknown, depth: number): unknown {
  if (depth === 0 || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return redactedArray(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  let copy: Record<string, unknown> | undefined;
  for (const [name, field] of Object.entries(value)) {
    const clean = SECRET.test(name) && field !== undefined ? CENSORED : redacted(field, depth - 1);
    if (clean === field) continue;
    copy ??= { ...value };
    copy[name] = clean;
  }
  return copy ?? value;
}

function redactedArray(values: readonly unknown[], depth: number): readonly unknown[] {
  const clean = values.map((value) => redacted(value, depth - 1));
  return clean.some((value, index) => value !== values[index]) ? clean : values;
}
