/** The package as `npm pack` makes it, from a copy of the project: other tests use its build meanwhile. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../docs/pages.ts';
import { startProcess } from '../helpers/processes.ts';
import type { Cleanup } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

export interface PackedPackage {
  readonly tarball: string;
  /** Paths of its files. */
  readonly files: readonly string[];
}

const LEFT_OUT = /^(\.git|\.cache|\.ci|node_modules|coverage|bench|test|docs\/\.vitepress|docs\/api)(\/|$)/;

/** Packs the package, and builds it if the build of the project is older than its sources. */
export async function packPackage(cleanup: Cleanup): Promise<PackedPackage> {
  const copy = path.join(tempFolder(cleanup), 'project');
  const filter = (file: string): boolean => !LEFT_OUT.test(path.relative(ROOT, file));
  mkdirSync(copy);
  cpSync(ROOT, copy, { recursive: true, preserveTimestamps: true, filter });
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'));
  await run(cleanup, copy, process.execPath, 'scripts/build.mjs', '--package');
  const packed = await run(cleanup, copy, 'npm', 'pack', '--json', '--ignore-scripts');
  const [about] = JSON.parse(packed) as { filename: string; files: { path: string }[] }[];
  assert.ok(about);
  return { tarball: path.join(copy, about.filename), files: about.files.map((file) => file.path) };
}

/** Runs a command in a folder and returns its output. */
export async function run(
  cleanup: Cleanup,
  cwd: string,
  command: string,
  ...args: readonly string[]
): Promise<string> {
  const env = { NODE_TEST_CONTEXT: undefined, FORCE_COLOR: undefined };
  const started = startProcess(cleanup, command, args, { cwd, env });
  const { code } = await started.exited;
  const output = started.lines.join('\n');
  assert.equal(code, 0, `${command} ${args.join(' ')}\n${output}\n${started.stderr}`);
  return output;
}
