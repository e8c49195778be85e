/** Module hooks: TypeScript files, and imports of this package by its name, which are its sources. */
import { fileURLToPath } from 'node:url';
import { compiled } from './compile.mjs';

const ROOT = new URL('../../../', import.meta.url).href;

/** The entries of the package, as in tsconfig.json. */
const ENTRIES = new Map([
  ['zeromq-gateway', `${ROOT}src/index.ts`],
  ['zeromq-gateway/gateway', `${ROOT}src/gateway/index.ts`],
  ['zeromq-gateway/testing', `${ROOT}src/testing/index.ts`],
]);

export function resolve(specifier, context, next) {
  const { parentURL = '' } = context;
  // Sources import each other by their exact names. Node.js would look for each of them several times.
  if (/^\..*\.ts$/.test(specifier) && parentURL.startsWith(ROOT))
    return { url: new URL(specifier, parentURL).href, format: 'module', shortCircuit: true };
  const url = ENTRIES.get(specifier);
  if (url === undefined || !parentURL.startsWith(ROOT) || parentURL.startsWith(`${ROOT}dist/`))
    return next(specifier, context);
  return { url, shortCircuit: true };
}

export async function load(url, context, next) {
  if (!url.startsWith('file:') || !/\.ts(\?|$)/.test(url)) return next(url, context);
  return { format: 'module', source: await compiled(fileURLToPath(url)), shortCircuit: true };
}
