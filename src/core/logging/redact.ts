/** Keeps secrets out of logs, by the names of their fields. */

/** Names of fields whose value is nobody's business. */
const SECRET =
  /^(?:proxy-?)?authorization$|^(?:set-?)?cookie2?$|passw(?:or)?d|passphrase|secret|credential|api[-_]?key|private[-_]?key|token$/i;

/** What stands in their place. */
export const CENSORED = '[redacted]';

/** Fields nested deeper are not looked at. */
const DEPTH = 6;

/**
 * The value with all secrets in it replaced; the same object when there are none. Looks into plain objects and arrays only.
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
