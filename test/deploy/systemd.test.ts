/** The units under deploy/systemd: systemd accepts them, and they run existing commands with time to drain. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { COMMANDS } from '../../src/cli/program.ts';
import { ROOT } from '../docs/pages.ts';
import { FREE_PORTS, startNode } from '../helpers/command.ts';
import { startProcess } from '../helpers/processes.ts';
import { scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

const FOLDER = path.join(ROOT, 'deploy/systemd');
const UNITS = readdirSync(FOLDER);

const missing =
  spawnSync('systemd-analyze', ['--version']).status === 0
    ? {}
    : { skip: 'systemd-analyze is not installed' };

/** Returns the value of a setting in a unit. */
function settingOf(text: string, name: string): string | undefined {
  return new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1];
}

describe('systemd units', () => {
  it('exist for each node', () => {
    assert.deepEqual(UNITS.sort(), [
      'zeromq-http-gateway.service',
      'zeromq-router.service',
      'zeromq-worker@.service',
    ]);
  });

  for (const unit of UNITS) {
    const text = readFileSync(path.join(FOLDER, unit), 'utf8');

    it(`${unit} runs a command and waits for its drain`, async () => {
      const [, name = ''] = /zeromq-gateway (\w+)/.exec(settingOf(text, 'ExecStart') ?? '') ?? [];
      const { drain } = (await COMMANDS[name]?.load())?.settings ?? {};
      assert.ok(typeof drain?.default === 'number', `no command ${name}`);
      assert.ok(Number(settingOf(text, 'TimeoutStopSec')) * 1000 >= drain.default + 2000);
      // Signals reach the main process only. It stops the members of a cluster.
      assert.equal(settingOf(text, 'KillMode'), 'mixed');
    });

    it(`${unit}: an exit for invalid settings ends the restarts, and no other`, () => {
      assert.deepEqual(
        ['Type', 'Restart', 'RestartPreventExitStatus', 'StartLimitIntervalSec', 'ExecReload'].map((name) =>
          settingOf(text, name),
        ),
        ['notify', 'always', '2', '0', '/bin/kill -HUP $MAINPID'],
      );
    });

    it(`${unit} is accepted by systemd`, missing, (t) => {
      const folder = tempFolder(t);
      const file = path.join(folder, unit);
      // systemd looks whether the program is there, and it need not be here.
      writeFileSync(file, text.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`));
      const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], {
        encoding: 'utf8',
      });
      const said = `${stdout}${stderr}`.split('\n').filter((line) => line.includes(unit.replace('@', '@i')));
      assert.deepEqual([status, said], [0, []], stderr);
    });
  }
});

/** A socket like that of systemd: prints each datagram in one line. */
const SOCKET = `
import socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print("listening", flush=True)
while True:
    print(listener.recv(4096).decode().replace("\\n", " "), flush=True)
`;

const unableToNotify = ['systemd-notify', 'python3'].every(
  (name) => spawnSync(name, ['--version']).status === 0,
)
  ? false
  : 'needs systemd-notify and python3';

it('systemd: a command reports over the socket that it is ready, that it runs, and that it stops', {
  skip: unableToNotify,
}, async (t) => {
  const scope = scopeOf(t);
  const place = path.join(tempFolder(scope), 'notify');
  const socket = startProcess(scope, 'python3', ['-c', SOCKET, place]);
  await socket.waitForLine(/^listening$/);
  const env = { NOTIFY_SOCKET: place, WATCHDOG_USEC: '600000' };
  const { node, line } = await startNode(scope, ['router', ...FREE_PORTS], { env });
  const ready = await socket.waitForLine(/^READY=1 STATUS=/);
  assert.ok(line.endsWith(ready.replace('READY=1 STATUS=', '')), ready);
  await socket.waitForLine(/^WATCHDOG=1$/);
  node.kill('SIGTERM');
  assert.equal((await node.exited).code, 0, node.stderr);
  await socket.waitForLine(/^STOPPING=1 STATUS=draining$/);
  assert.doesNotMatch(node.stderr, /cannot report/);
});
