/** Completion scripts, run in the shells. Shells that are not installed are skipped. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { COMMANDS, run } from '../../../../src/cli/program.ts';
import { tempFolder } from '../../../helpers/temp.ts';

const scripts = new Map<string, string>();

before(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const lines: string[] = [];
    const out = (line: string) => void lines.push(line);
    assert.equal(await run(['completion', shell], { cwd: '/', env: {}, out, err: out }), 0);
    scripts.set(shell, lines.join('\n'));
  }
});

const missing = (shell: string) =>
  spawnSync(shell, ['-c', 'true']).status === 0 ? {} : { skip: `${shell} is not installed` };

/** Runs a line in a shell that has loaded the script, and returns the lines it prints. */
function inShell(shell: string, args: readonly string[], line: string, cwd = '/'): string[] {
  const text = `${scripts.get(shell)}\n${line}`;
  const { status, stdout, stderr } = spawnSync(shell, [...args, '-c', text], { cwd, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout.split('\n').filter(Boolean);
}

/** Creates a folder that contains a folder and a file. */
function folderWithFiles(t: Parameters<typeof tempFolder>[0]): string {
  const folder = tempFolder(t);
  mkdirSync(path.join(folder, 'stock folder'));
  writeFileSync(path.join(folder, 'stock.ts'), '');
  return folder;
}

describe('completion for bash', missing('bash'), () => {
  /** What it offers for the last of these words. */
  const offers = (words: readonly string[], cwd?: string) => {
    const list = words.map((word) => `'${word}'`).join(' ');
    const ask = `COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _zeromq_gateway; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return inShell('bash', ['--norc'], ask, cwd);
  };

  it('offers commands', () => {
    assert.deepEqual(offers(['zeromq-gateway', 'ro']), ['router']);
    const all = offers(['zeromq-gateway', '']);
    for (const name of Object.keys(COMMANDS)) assert.ok(all.includes(name), name);
  });

  it('offers flags and their values', () => {
    assert.deepEqual(offers(['zeromq-gateway', 'router', '--strat']), ['--strategy']);
    assert.deepEqual(offers(['zeromq-gateway', 'router', '--strategy', 'ro']), ['round-robin']);
    assert.deepEqual(offers(['zeromq-gateway', 'call', '--strat']), []);
  });

  it('offers files and folders for flags that expect them', (t) => {
    const folder = folderWithFiles(t);
    assert.deepEqual(offers(['zeromq-gateway', 'worker', 'st'], folder).sort(), ['stock folder', 'stock.ts']);
    assert.deepEqual(offers(['zeromq-gateway', 'up', '--workers', 'st'], folder), ['stock folder']);
  });

  it('offers arguments', () => {
    assert.deepEqual(offers(['zeromq-gateway', 'completion', 'z']), ['zsh']);
    assert.deepEqual(offers(['zeromq-gateway', 'help', 'gat']), ['gateway']);
  });
});

describe('completion for fish', missing('fish'), () => {
  /** What it offers for a line, without the descriptions behind a tab. */
  const offers = (line: string, cwd?: string) =>
    inShell('fish', ['--no-config'], `complete -C '${line}'`, cwd).map((each) => each.split('\t')[0]);

  it('offers commands, flags, values and files', (t) => {
    assert.deepEqual(offers('zeromq-gateway rou'), ['router']);
    assert.ok(offers('zeromq-gateway up --strat').includes('--strategy'));
    assert.deepEqual(offers('zeromq-gateway up --strategy ro'), ['round-robin']);
    assert.deepEqual(offers('zeromq-gateway completion z'), ['zsh']);
    assert.ok(offers('zeromq-gateway worker st', folderWithFiles(t)).includes('stock.ts'));
  });
});

describe('completion for zsh', missing('zsh'), () => {
  it('registers itself and passes the flags of the command to _arguments', () => {
    const stubs = 'compdef() { print registered $1 $2 }\n_arguments() { print -l -- "$@" }\n';
    const ask = 'words=(zeromq-gateway router --); CURRENT=3; _zeromq_gateway';
    const { status, stdout, stderr } = spawnSync(
      'zsh',
      ['-f', '-c', `${stubs}${scripts.get('zsh')}\n${ask}`],
      {
        encoding: 'utf8',
      },
    );
    assert.equal(status, 0, stderr);
    const lines = stdout.split('\n');
    assert.equal(lines[0], 'registered _zeromq_gateway zeromq-gateway');
    assert.ok(
      lines.some((line) => /^--strategy\[.*\]:NAME:\(least-loaded round-robin /.test(line)),
      stdout,
    );
    assert.ok(
      lines.some((line) => /^--node-file\[.*\]:FILE:_files$/.test(line)),
      stdout,
    );
  });
});

it('completion: rejects an unknown shell with a suggestion', async () => {
  const lines: string[] = [];
  const err = (line: string) => void lines.push(line);
  assert.equal(await run(['completion', 'bsh'], { cwd: '/', env: {}, out: err, err }), 2);
  assert.match(lines.join('\n'), /"bsh" .* allowed: bash, zsh, fish \(did you mean bash\?\)/);
});
