#!/usr/bin/env node
/** The executable: passes the process's arguments and streams to `run` and exits with its code. */
import { run } from './program.ts';

/**
 * Time, in milliseconds, that remaining activity of the process may take to end after its command.
 */
const EXIT_GRACE = 1000;

// The reader of the output (such as `| head`) may have closed the pipe. Output is impossible then.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

/** Enables colours only on a terminal that supports them, and never if NO_COLOR is set. */
const supportsColours = (stream: NodeJS.WriteStream): boolean =>
  stream.isTTY && !process.env['NO_COLOR'] && stream.hasColors();

const code = await run(process.argv.slice(2), {
  cwd: process.cwd(),
  env: process.env,
  out: (line) => process.stdout.write(`${line}\n`),
  write: (bytes) =>
    new Promise((resolve) => {
      // An error means that the reader is gone; see above.
      process.stdout.write(bytes, () => resolve());
    }),
  err: (line) => process.stderr.write(`${line}\n`),
  // A getter, because only the commands that read standard input open it.
  get input() {
    return process.stdin;
  },
  colours: { out: supportsColours(process.stdout), err: supportsColours(process.stderr) },
  terminal: process.stderr.isTTY ? process.stderr : undefined,
});
process.exitCode = code;
// A command that closed everything ends without this timer, after its output is written. The timer
// does not keep the process alive.
setTimeout(() => process.exit(code), EXIT_GRACE).unref();
