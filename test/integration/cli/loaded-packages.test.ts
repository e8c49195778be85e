// test:all: 10 s, one process for each command
/** Which packages a command loads: each start pays for all of them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { FREE_PORTS, MAIN } from '../../helpers/command.ts';
import { startProcess } from '../../helpers/processes.ts';
import { type Cleanup, scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

/** Packages that take longest to load. Each is a CommonJS package, so that it is in the cache of modules. */
const SLOW = [
  '@fastify/busboy',
  '@opentelemetry/api',
  'ajv',
  'express',
  'joi',
  'pino',
  'pino-pretty',
  'prom-client',
  'rate-limiter-flexible',
  'yaml',
  'zeromq',
];

/** Writes the names of all loaded files to the file of the variable when the process exits. */
const RECORDER = `data:text/javascript,${encodeURIComponent(`
  import { Module } from 'node:module';
  import { writeFileSync } from 'node:fs';
  process.on('exit', () => writeFileSync(process.env.LOADED_FILE, Object.keys(Module._cache).join('\\n')));
`)}`;

/** Runs a command until it exits, or until it is ready, and returns the slow packages that it loaded. */
async function loadedBy(cleanup: Cleanup, args: readonly string[]): Promise<string[]> {
  const cwd = tempFolder(cleanup);
  const file = path.join(cwd, 'loaded.txt');
  const command = startProcess(cleanup, process.execPath, ['--import', RECORDER, MAIN, ...args], {
    cwd,
    env: { LOADED_FILE: file },
  });
  const stop = (): unknown => command.kill();
  await command.waitForLine(/ is ready: /).then(stop, () => undefined);
  await command.exited;
  const files = readFileSync(file, 'utf8').split('\n');
  assert.ok(files.some((name) => name.includes('node_modules')) || args[0] === '--help', files.join('\n'));
  return SLOW.filter((name) => files.some((each) => each.includes(`/node_modules/${name}/`)));
}

describe('packages that commands load', () => {
  const cases: [args: readonly string[], packages: readonly string[]][] = [
    [['--help'], []],
    [['call', '--help'], ['zeromq']],
    [
      ['call', 'a', '1', '--to', 'tcp://127.0.0.1:1', '--timeout', '50'],
      ['joi', 'zeromq'],
    ],
    [
      ['ps', '--to', 'tcp://127.0.0.1:1', '--timeout', '50'],
      ['joi', 'zeromq'],
    ],
    [
      ['router', ...FREE_PORTS],
      ['ajv', 'joi', 'pino', 'zeromq'],
    ],
    [
      ['gateway', '--port', '0', '--router', 'tcp://127.0.0.1:1'],
      ['ajv', 'express', 'joi', 'pino', 'zeromq'],
    ],
  ];
  for (const [args, packages] of cases) {
    it(`command line: \`${args.slice(0, 2).join(' ')}\` loads of the slow packages only ${packages.join(', ') || 'none'}`, async (t) => {
      assert.deepEqual(await loadedBy(scopeOf(t), args), packages);
    });
  }
});
