// test:all: 10 s; ../operator-events.test.ts represents it
/** Permissions of ps, events, top, drain and pause at a router with keys: only admin keys have them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { silentLogger, ZeroMQClient, ZeroMQClientError } from '../../../src/index.ts';
import { readKeyFile, writeKeyFiles } from '../../../src/transport/curve/key-file.ts';
import { curveKeyPair } from '../../../src/transport/curve/keys.ts';
import { endpointIn, FREE_PORTS, startNode } from '../../helpers/command.ts';
import { PATIENT } from '../../helpers/patience.ts';
import { runCommandHere } from '../../helpers/run-command-here.ts';
import { Scope } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

const ECHO = fileURLToPath(new URL('../../../workers/echo.ts', import.meta.url));

interface Worker {
  id: string;
  state: string;
}

interface EventLine {
  name: string;
  paused: boolean;
  queued: number;
}

describe('operator commands at a router with keys', () => {
  const scope = new Scope();
  const cwd = tempFolder(scope);
  let frontend: string;

  const keysOf = (name: string) => ['--curve-server-key', 'router.key.pub', '--curve-key', `${name}.key`];

  /** Runs a command of an operator with the key of the given name. */
  function as(name: string, args: readonly string[]) {
    return runCommandHere([...args, '--to', frontend, ...keysOf(name)], { cwd });
  }

  async function seenBy<T>(name: string, command: string): Promise<T[]> {
    const { code, stdout, stderr } = await as(name, [command, '--json']);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as T[];
  }

  before(async () => {
    const keys = ['router', 'operator', 'gateway', 'echo'].map((name) => {
      const pair = curveKeyPair();
      writeKeyFiles(path.join(cwd, `${name}.key`), pair);
      return { name, publicKey: pair.publicKey };
    });
    const rights: Record<string, object> = {
      operator: { role: 'admin' },
      gateway: { role: 'client', calls: ['*'] },
      echo: { role: 'worker', serves: ['echo.*'], paths: ['/echo'] },
    };
    const peers = keys.filter(({ name }) => name in rights).map((one) => ({ ...one, ...rights[one.name] }));
    writeFileSync(path.join(cwd, 'peers.json'), JSON.stringify({ peers }));
    const guarded = ['--curve-key', 'router.key', '--allow-list', 'peers.json'];
    const { line } = await startNode(scope, ['router', ...FREE_PORTS, ...guarded], { cwd });
    frontend = endpointIn(line, 'frontend');
    const router = ['--router', endpointIn(line, 'backend')];
    await startNode(scope, ['worker', ECHO, ...router, ...keysOf('echo')], { cwd });
  });
  after(() => scope.close());

  it('an admin lists workers and events', async () => {
    const [worker] = await seenBy<Worker>('operator', 'ps');
    assert.equal(worker?.state, 'ready');
    const events = await seenBy<EventLine>('operator', 'events');
    assert.deepEqual(
      events.map(({ name }) => name),
      ['echo.get', 'echo.post'],
    );
  });

  it('an admin drains a worker and resumes it', async () => {
    const [worker] = await seenBy<Worker>('operator', 'ps');
    assert.ok(worker);
    assert.equal((await as('operator', ['drain', worker.id])).code, 0);
    assert.equal((await seenBy<Worker>('operator', 'ps'))[0]?.state, 'draining');
    assert.equal((await as('operator', ['drain', worker.id, '--resume'])).code, 0);
    assert.equal((await seenBy<Worker>('operator', 'ps'))[0]?.state, 'ready');
  });

  it('an admin pauses an event: requests are queued until it resumes', async () => {
    const pause = (wanted: boolean) =>
      as('operator', ['call', '$router.pause', JSON.stringify({ event: 'echo.get', pause: wanted })]);
    assert.equal((await pause(true)).code, 0);
    const [paused] = await seenBy<EventLine>('operator', 'events');
    assert.equal(paused?.paused, true);
    const asked = ['call', 'echo.get', '{"message":"waits"}'];
    const late = await as('gateway', [...asked, '--timeout', '300']);
    assert.match(late.stderr, /^error: EXPIRED/);
    assert.equal((await pause(false)).code, 0);
    const { code, stderr, stdout } = await as('gateway', asked);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /waits/);
  });

  it('a key of a client is rejected without effect', async () => {
    const [worker] = await seenBy<Worker>('operator', 'ps');
    assert.ok(worker);
    for (const args of [
      ['ps'],
      ['events'],
      ['top', '--once'],
      ['drain', worker.id],
      ['call', '$router.drain', JSON.stringify({ worker: worker.id })],
      ['call', '$router.pause', '{"event":"echo.get"}'],
    ]) {
      const { code, stdout, stderr } = await as('gateway', args);
      assert.deepEqual([code, stdout], [1, ''], args.join(' '));
      assert.match(
        stderr,
        /^error: NOT_PERMITTED: the key of gateway does not allow calling "\$router\.\w+"/,
      );
      assert.match(stderr, /what to do: .*admin/, args.join(' '));
    }
    assert.deepEqual(
      (await seenBy<Worker>('operator', 'ps')).map(({ state }) => state),
      ['ready'],
    );
    assert.deepEqual(
      (await seenBy<EventLine>('operator', 'events')).map(({ paused }) => paused),
      [false, false],
    );
  });

  it('the rejection has status 403 for a client in code', async () => {
    const { secretKey } = readKeyFile(path.join(cwd, 'gateway.key'));
    const { publicKey: serverKey } = readKeyFile(path.join(cwd, 'router.key'));
    const client = new ZeroMQClient({
      ...PATIENT,
      connection: frontend,
      curve: { serverKey, secretKey },
      logger: silentLogger,
    });
    scope.after(() => client.close());
    await assert.rejects(client.sendMessage('$router.drain', { worker: 'any' }), (error) => {
      assert.ok(error instanceof ZeroMQClientError);
      assert.deepEqual([error.code, error.status, error.dispatched], ['NOT_PERMITTED', 403, false]);
      return true;
    });
  });
});
