/**
 * `npm run tsdoc [-- NAME…]`: checks that everything exported from the public entries has TSDoc.
 *
 * It prints what each export lacks, and fails if there is anything. With names, it checks these
 * exports only.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { checkTsdoc, type TsdocFinding } from './lib/tsdoc.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const ENTRIES = ['src/index.ts', 'src/gateway/index.ts', 'src/testing/index.ts'].map((file) =>
  path.join(ROOT, file),
);

const describe = ({ place, missing }: TsdocFinding) =>
  missing === 'sentence' ? `${place} has no TSDoc` : `${place} has no ${missing}`;

const config = ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), (file) => ts.sys.readFile(file));
const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, ROOT);
const names = process.argv.slice(2);
const findings = checkTsdoc(ENTRIES, options).filter(
  ({ name }) => names.length === 0 || names.includes(name),
);
for (const finding of findings) process.stdout.write(`${describe(finding)}\n`);
process.exitCode = findings.length > 0 ? 1 : 0;
