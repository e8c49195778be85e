/**
 * mock: `zeromq-gateway mock`. Answers from the examples and schemas of a document.
 *
 * Preferences of a request to a mock: `Prefer: code=404, example=none` (RFC 7240).
 */

/** The preferences that a mock knows. */
export interface Preferences {
  /** Status of the response. */
  readonly code: string | undefined;
  /** Name of the example. */
  readonly example: string | undefined;
  /** Whether the values are made from the schema, although there are examples. */
  readonly dynamic: boolean;
}

const PREFERENCE = /^\s*([\w-]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*)))?/;

/** Reads the header. Preferences that a mock does not know are ignored (RFC 7240, 2). */
export function readPreferences(header: string | readonly string[] | undefined): Preferences {
  const found = new Map<string, string>();
  for (const part of [header ?? []].flat().flatMap((line) => line.split(/[,;]/))) {
    const [, name = '', quoted, token] = PREFERENCE.exec(part) ?? [];
    const value = quoted?.replaceAll(/\\(.)/g, '$1') ?? token ?? '';
    // The first one counts (RFC 7240, 2).
    if (name !== '' && !found.has(name.toLowerCase())) found.set(name.toLowerCase(), value);
  }
  return {
    code: found.get('code'),
    example: found.get('example'),
    dynamic: found.get('dynamic') === 'true',
  };
}

/** The value of `Preference-Applied` (RFC 7240, 3), or undefined if no preference was applied. */
export function appliedPreferences({ code, example, dynamic }: Preferences): string | undefined {
  const applied = [
    code !== undefined && `code=${code}`,
    example !== undefined && `example=${/^[\w.-]+$/.test(example) ? example : JSON.stringify(example)}`,
    dynamic && 'dynamic=true',
  ].filter((one) => one !== false);
  return applied.length === 0 ? undefined : applied.join(', ');
}
