/** How tests start other programs of this project that are written in TypeScript. */

/** Options with which Node.js runs a TypeScript file of this project. */
export const TYPESCRIPT: readonly string[] = [
  `--import=${new URL('../../scripts/lib/typescript/register.mjs', import.meta.url).href}`,
];
