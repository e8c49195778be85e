// test:all: 5 s; ../../unit/transport/socket represents it
/** Which processes change the flags of V8. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { flagsFor } from '../../../src/transport/socket/tune-v8.ts';
import { ROOT } from '../../docs/pages.ts';
import { FREE_PORTS } from '../../helpers/command.ts';
import { PATIENCE } from '../../helpers/patience.ts';

const moduleAt = (name: string): string => JSON.stringify(pathToFileURL(path.join(ROOT, 'dist', name)).href);

/** Runs a script that records the flags of V8 that are set, and returns them. */
function flagsOf(script: string): string[] {
  const program = `
    import v8 from 'node:v8';
    import { syncBuiltinESMExports } from 'node:module';
    const flags = [];
    const set = v8.setFlagsFromString;
    v8.setFlagsFromString = (flag) => { flags.push(flag); set(flag); };
    syncBuiltinESMExports();
    ${script}
    console.log(JSON.stringify(flags));
    process.exit();`;
  const args = ['--input-type=module', '-e', program];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    timeout: PATIENCE,
  });
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stderr, /unrecognized flag/);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as string[];
}

/** Sends 16 MiB from a dealer to a router of this package. */
const TRAFFIC = `
  const { ZeroMQRouter, ZeroMQWorker, ZeroMQClient } = await import(${moduleAt('index.js')});
  const router = new ZeroMQRouter({ frontendConnection: 'tcp://127.0.0.1:0', backendConnection: 'tcp://127.0.0.1:0' });
  const { frontend, backend } = await router.start();
  const worker = new ZeroMQWorker({ connection: backend, handlers: { echo: (data) => data } });
  await worker.start();
  const client = new ZeroMQClient({ connection: frontend });
  for (let sent = 0; sent < 16; sent += 1) await client.sendMessage('echo', 'x'.repeat(1024 * 1024));`;

/** Runs `router` of the command line until it is ready. */
const command = (...args: string[]): string => `
  const { run } = await import(${moduleAt('cli/program.js')});
  await new Promise((ready) => {
    const err = (line) => console.error(line);
    void run(['router', ...${JSON.stringify([...FREE_PORTS, ...args])}], { cwd: '/', env: {}, out: ready, err });
  });`;

/** The flags that are set at once. */
const FLAGS = flagsFor(process.versions.v8);

describe('flags of V8', () => {
  it('the library leaves the flags of V8 alone, also when it forwards messages', () => {
    assert.deepEqual(flagsOf(TRAFFIC), []);
  });

  it('the library sets them after tuneV8()', () => {
    const flags = flagsOf(`(await import(${moduleAt('index.js')})).tuneV8(); ${TRAFFIC}`);
    assert.deepEqual(flags.slice(0, FLAGS.length), FLAGS);
    assert.ok(flags.includes('--expose-gc'), flags.join(' '));
  });

  it('the command line sets them', () => {
    assert.deepEqual(flagsOf(command()), FLAGS);
  });

  it('the command line leaves them alone with --v8-tuning off', () => {
    assert.deepEqual(flagsOf(command('--v8-tuning', 'off')), []);
  });
});
