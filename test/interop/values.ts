/**
 * Event data that exercises a codec: every kind of JSON value, nested, and text in many scripts.
 */
export const NESTED = {
  text: 'naïve ☕ 日本語 עברית 👩‍🚀 "quoted" \\ back\n\tnew line \u0000 end',
  numbers: [0, -1, 1.5, 1e21, 2 ** 53 - 1, -0.001],
  nothing: null,
  truth: [true, false],
  empty: [{}, [], ''],
  'key with spaces and ü': { deep: { deeper: { deepest: [[[['bottom']]]] } } },
  __proto__x: { constructor: 'plain data' },
} as const;

/** Returns `levels` nested arrays. */
export function nested(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels);
}
