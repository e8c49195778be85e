/** Places of errors in the user's code. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { locateFailure, placeOf } from '../../../../src/cli/dev/load-error.ts';
import type { LoadFailure } from '../../../../src/worker/threads/module-report.ts';
import { syntaxErrorIn } from '../../../../src/worker/threads/syntax-check.ts';
import { tempFolder } from '../../../helpers/temp.ts';

const WORKER = '/my shop/workers/shop.ts';

function failureOf(error: Partial<LoadFailure>): LoadFailure {
  return { name: 'Error', message: '', stack: undefined, code: undefined, ...error };
}

async function importError(file: string): Promise<Error> {
  try {
    await import(pathToFileURL(file).href);
  } catch (error) {
    return error as Error;
  }
  throw new Error('the import succeeded');
}

describe('place of an error', () => {
  it('is that of each error which esbuild reports, with columns from 1', () => {
    const message =
      'Transform failed with 2 errors:\n/my shop/a.ts:3:10: ERROR: Expected ")" but found ";"\n/my shop/a.ts:9:0: ERROR: Unexpected "}"';
    assert.deepEqual(locateFailure(failureOf({ message }), WORKER), [
      {
        message: 'SyntaxError: Expected ")" but found ";"',
        place: { file: '/my shop/a.ts', line: 3, column: 11 },
      },
      { message: 'SyntaxError: Unexpected "}"', place: { file: '/my shop/a.ts', line: 9, column: 1 } },
    ]);
  });

  it('is the import of a module that does not exist', (t) => {
    const file = path.join(tempFolder(t), 'shop.ts');
    writeFileSync(file, "// ./lib\nimport a from 'joi';\nimport b from './lib.js';\n");
    const message = `Cannot find module '${path.join(path.dirname(file), 'lib.js')}' imported from ${file}`;
    const [found] = locateFailure(failureOf({ message, code: 'ERR_MODULE_NOT_FOUND' }), file);
    assert.deepEqual(found?.place, { file, line: 3, column: 15 });
  });

  it('is the import of a package that is not installed', (t) => {
    const file = path.join(tempFolder(t), 'shop.ts');
    writeFileSync(file, "import a from 'left-pad';\n");
    const message = `Cannot find package 'left-pad' imported from ${file}`;
    assert.deepEqual(locateFailure(failureOf({ message }), file), [
      { message, place: { file, line: 1, column: 15 } },
    ]);
  });

  it('is that of a syntax error which Node.js reports', async (t) => {
    const file = path.join(tempFolder(t), 'my shop.mjs');
    writeFileSync(file, 'const a = 1;\nconst b = ;\n');
    const { name, message } = await importError(file);
    const stack = syntaxErrorIn([file]);
    assert.deepEqual(locateFailure(failureOf({ name, message, stack }), file), [
      { message: "SyntaxError: Unexpected token ';'", place: { file, line: 2, column: 11 } },
    ]);
  });

  it('is the first frame of the stack outside of packages and Node.js', async (t) => {
    const folder = path.join(tempFolder(t), 'my shop');
    mkdirSync(path.join(folder, 'node_modules/lib'), { recursive: true });
    const library = path.join(folder, 'node_modules/lib/index.mjs');
    writeFileSync(library, 'export default (callback) => { throw new RangeError(callback()); };');
    const file = path.join(folder, 'worker.mjs');
    writeFileSync(file, `import fail from './node_modules/lib/index.mjs';\n\n  fail(() => 'no stock');\n`);
    const { name, message, stack } = await importError(file);
    assert.deepEqual(locateFailure(failureOf({ name, message, stack }), WORKER), [
      { message: 'RangeError: no stock', place: { file, line: 3, column: 3 } },
    ]);
  });

  it('is unknown if the stack has no frame of the user', () => {
    const stack = 'Error: x\n    at node:internal/process:1:1\n    at /a/node_modules/b/c.js:1:2';
    assert.equal(placeOf(stack), undefined);
    assert.equal(placeOf(undefined), undefined);
  });
});
