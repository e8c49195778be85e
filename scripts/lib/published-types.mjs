/** The declarations of the published package: those that its entries need. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import typescript from 'typescript';

/** The comment of a file, which describes no declaration. */
const FILE_COMMENT = /^\/\*\*(?:(?!\*\/)[^])*\*\/\n+(?=import |\/\*\*)/;

/**
 * Removes declarations from dist that no entry of the package reaches: they describe internals. The
 * others lose their indentation, and the comments of their files.
 */
export function compactTypes(root, declarations) {
  const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const entries = Object.values(exports).flatMap(({ types }) => (types === undefined ? [] : [types]));
  const reached = new Set();
  const visit = (file) => {
    if (reached.has(file) || !existsSync(file)) return;
    reached.add(file);
    const { importedFiles } = typescript.preProcessFile(readFileSync(file, 'utf8'));
    for (const { fileName } of importedFiles) {
      if (!fileName.startsWith('.')) continue;
      visit(path.join(path.dirname(file), fileName.replace(/\.[jt]s$/, '.d.ts')));
    }
  };
  for (const entry of entries) visit(path.join(root, entry));
  for (const name of declarations) {
    const file = path.join(root, 'dist', name);
    if (!reached.has(file)) rmSync(file);
    else writeFileSync(file, readFileSync(file, 'utf8').replace(FILE_COMMENT, '').replace(/^ +/gm, ''));
  }
}
