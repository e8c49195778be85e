/** The header field Prefer (RFC 7240): `respond-async` and `wait`. */

/** The preferences of a request that the gateway knows. */
export interface Preferences {
  /** Whether the client prefers an asynchronous reply (section 4.1). */
  readonly respondAsync: boolean;
  /** How long the client wants to wait for the reply, in seconds (section 4.3). */
  readonly wait: number | undefined;
}

/** Maximum wait in seconds: proxies close connections that are silent for longer. */
export const MAX_WAIT = 60;

/** A preference with its value, which may be quoted, and parameters, which these do not have. */
const PREFERENCE = /(?:^|,)\s*([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,;]*))?/g;

/** Reads the field. Preferences that are unknown or not valid are ignored (section 2). */
export function readPreferences(field: string | undefined): Preferences {
  let respondAsync = false;
  let wait: number | undefined;
  for (const [, name = '', value = ''] of (field ?? '').matchAll(PREFERENCE)) {
    const key = name.toLowerCase();
    if (key === 'respond-async') respondAsync = true;
    const text = value.replace(/^"(.*)"$/, '$1');
    // Of several values, the first counts (section 2).
    if (key === 'wait' && /^\d{1,9}$/.test(text)) wait ??= Math.min(Number(text), MAX_WAIT);
  }
  return { respondAsync, wait };
}

/** The value of Preference-Applied (section 3); undefined if none was applied. */
export function appliedPreferences({ respondAsync, wait }: Preferences): string | undefined {
  const applied = [
    ...(respondAsync ? ['respond-async'] : []),
    ...(wait === undefined ? [] : [`wait=${wait}`]),
  ];
  return applied.length === 0 ? undefined : applied.join(', ');
}
