/** The units under deploy/systemd: systemd accepts them, and they run existing commands with time to drain. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { COMMANDS } from '../../src/cli/program.ts';
import { ROOT } from '../docs/pages.ts';
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
