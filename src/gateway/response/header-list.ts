/** Headers as Node's `writeHead` takes them: a flat list of names and values in turn. */

/** @param name in lower case. */
export function hasHeader(headers: readonly string[], name: string): boolean {
  for (let index = 0; index < headers.length; index += 2)
    if (headers[index]?.toLowerCase() === name) return true;
  return false;
}

/**
 * Replaces the values of a header in place.
 * @param name in lower case.
 */
export function changeHeader(headers: string[], name: string, change: (value: string) => string): void {
  for (let index = 0; index < headers.length; index += 2) {
    const value = headers[index + 1];
    if (value !== undefined && headers[index]?.toLowerCase() === name) headers[index + 1] = change(value);
  }
}

/** The first value of a header. */
export function headerValue(headers: readonly string[], name: string): string | undefined {
  const wanted = name.toLowerCase();
  for (let index = 0; index < headers.length; index += 2)
    if (headers[index]?.toLowerCase() === wanted) return headers[index + 1];
  return undefined;
}
