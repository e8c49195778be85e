#!/usr/bin/env node
/**
 * cli: the command line. `program.ts` lists the commands; each is a file in `commands`, with its
 * flags, and uses the nodes as a program would.
 *
 * The executable: passes the process's arguments and streams to `run` and exits with its code.
 */
import { enlargeYoungGeneration } from './process/young-generation.ts';

enlargeYoungGeneration();
// Nothing else is loaded before, because the call above may replace the process.
const { run } = await import('./program.ts');
const { EXIT } = await import('./settings/errors.ts');

/**
 * Time, in milliseconds, that remaining activity of the process may take to end after its command.
 */
const EXIT_GRACE = 1000;

const outputClosed = new AbortController();
let outputFailed = false;

// Standard output fails when its reader (such as `| head`) has closed the pipe, or the disk is full.
const onOutputError = (error: NodeJS.ErrnoException): void => {
  if (outputClosed.signal.aborted) return;
  outputClosed.abort();
  if (error.code === 'EPIPE') return;
  outputFailed = true;
  process.exitCode = EXIT.failed;
  process.stderr.write(`error: cannot write to standard output: ${error.message}\n`);
};
process.stdout.on('error', onOutputError);

/** Writes to standard output. If that is a file, Node.js may throw the error. */
function writeOut(content: string | Uint8Array, written?: () => void): void {
  try {
    process.stdout.write(content, written);
  } catch (error) {
    onOutputError(error as NodeJS.ErrnoException);
    written?.();
  }
}

// There is no place left to report this.
process.stderr.on('error', () => undefined);

/** Enables colours only on a terminal that supports them, and never if NO_COLOR is set. */
const supportsColours = (stream: NodeJS.WriteStream): boolean =>
  stream.isTTY && !process.env['NO_COLOR'] && stream.hasColors();

const code = await run(process.argv.slice(2), {
  cwd: process.cwd(),
  env: process.env,
  out: (line) => writeOut(`${line}\n`),
  write: (bytes) =>
    new Promise((resolve) => {
      // An error means that the reader is gone; see above.
      writeOut(bytes, resolve);
    }),
  outputClosed: outputClosed.signal,
  columns: () => process.stdout.columns,
  err: (line) => process.stderr.write(`${line}\n`),
  // A getter, because only the commands that read standard input open it.
  get input() {
    return process.stdin;
  },
  colours: { out: supportsColours(process.stdout), err: supportsColours(process.stderr) },
  terminal: process.stderr.isTTY ? process.stderr : undefined,
});
const exitCode = (): number => (outputFailed ? EXIT.failed : code);
process.exitCode = exitCode();
// A command that closed everything ends without this timer, after its output is written. The timer
// does not keep the process alive.
setTimeout(() => process.exit(exitCode()), EXIT_GRACE).unref();
