/** Parses the small JSON objects of messages, which are valid or ignored. */

/**
 * Parses a JSON object.
 *
 * @returns undefined if the bytes are not a JSON object, or are more than `maxBytes`.
 */
export function parseObject(bytes: Buffer, maxBytes: number): Record<string, unknown> | undefined {
  if (bytes.length > maxBytes) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
