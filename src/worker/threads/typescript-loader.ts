/** How uncompiled threads and child processes run TypeScript: only in the tests of this project. */

/**
 * Returns the URL of the module hooks with which this process was started, as `--import=URL`.
 * Threads and child processes do not inherit them on Node.js 20.
 */
export function typescriptLoader(): string | undefined {
  const option = process.execArgv.find((each) => each.startsWith('--import=file:'));
  return option?.slice('--import='.length);
}
