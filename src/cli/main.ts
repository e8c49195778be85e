#!/usr/bin/env node
/** The executable: hands the process to `run` and ends with its exit code. */
import { setFlagsFromString } from 'node:v8';
import { run } from './program.ts';

/**
 * Marking goes on in steps on the main thread alone. Its helper threads cost more than they save here: with them a
 * request through `up` takes 46 µs of CPU on two cores, without them 28 µs (`npm run bench -- --only http-get`, NODE_ENV=production).
 */
setFlagsFromString('--no-concurrent-marking');

/** What keeps the process busy after its command ended has so long (ms) to end too. */
const LINGER = 1000;

// Whoever read our output (`| head`) may be gone: then there is nobody left to tell.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

/** Colours only on a terminal that has them, and never where NO_COLOR is set. */
const shows = (stream: NodeJS.WriteStream): boolean =>
  stream.isTTY && !process.env['NO_COLOR'] && stream.hasColors();

const code = await run(process.argv.slice(2), {
  cwd: process.cwd(),
  env: process.env,
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  // Only the commands that read it open it.
  get input() {
    return process.stdin;
  },
  colours: { out: shows(process.stdout), err: shows(process.stderr) },
  terminal: process.stderr.isTTY ? process.stderr : undefined,
});
process.exitCode = code;
// A command that closed all it opened ends by itself, with its output written; this timer does not hold it.
setTimeout(() => process.exit(code), LINGER).unref();
