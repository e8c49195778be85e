// test:all: 30 s; ../../unit/cli/terminal represents it
/** Output of commands on a terminal and elsewhere. script(1) provides the terminal. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, it } from 'node:test';
import { endpointIn, FREE_PORTS, MAIN, runCommand, startNode } from '../../helpers/command.ts';
import { within } from '../../helpers/eventually.ts';
import { PATIENCE } from '../../helpers/patience.ts';
import { startProcess } from '../../helpers/processes.ts';
import { scopeOf } from '../../helpers/scope.ts';
import { silentPeer } from '../../helpers/silent-peer.ts';
import { tempFolder } from '../../helpers/temp.ts';

const ESCAPE = '\u001b[';
const noScript = spawnSync('script', ['--version']).status === 0 ? {} : { skip: 'script is not installed' };

describe('output on a terminal', noScript, () => {
  /** Output of a command on a terminal of its own; standard output and error are one there. */
  async function onTerminal(t: Parameters<typeof scopeOf>[0], line: string, env: NodeJS.ProcessEnv = {}) {
    const clean = {
      CI: undefined,
      NO_COLOR: undefined,
      FORCE_COLOR: undefined,
      TERM: 'xterm-256color',
      ...env,
    };
    const command = `exec ${process.execPath} ${MAIN} ${line}`;
    const cwd = tempFolder(t);
    const args = ['--quiet', '--return', '--command', command, '/dev/null'];
    const terminal = startProcess(scopeOf(t), 'script', args, { cwd, env: clean });
    const { code } = await within(terminal.exited, 'the end of a command');
    return { code, text: terminal.lines.join('\n') };
  }

  it('has colours in errors and help', async (t) => {
    const refused = await onTerminal(t, 'gateway --port x');
    assert.equal(refused.code, 2);
    assert.ok(refused.text.includes(`${ESCAPE}31merror:${ESCAPE}39m port: "x"`), refused.text);
    const help = await onTerminal(t, 'call --help');
    assert.ok(help.text.includes(`${ESCAPE}1mUsage:`), help.text);
  });

  it('has no colours with NO_COLOR or on a terminal without colours', async (t) => {
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
      assert.ok(!(await onTerminal(t, 'gateway --port x', env)).text.includes(ESCAPE));
      assert.ok(!(await onTerminal(t, 'call --help', env)).text.includes(ESCAPE));
    }
  });

  it('up prints a line for each change and each request', async (t) => {
    const ports = '--port 0 --admin off --frontend tcp://127.0.0.1:0 --backend tcp://127.0.0.1:0';
    const command = `exec ${process.execPath} ${MAIN} up ${ports} --heartbeat tcp://127.0.0.1:0`;
    const args = ['--quiet', '--return', '--command', command, '/dev/null'];
    const env = { NO_COLOR: '1', TERM: 'xterm', ZMQ_GATEWAY_DATA: tempFolder(t) };
    const terminal = startProcess(scopeOf(t), 'script', args, { cwd: tempFolder(t), env });
    const [, url = ''] = /ready: (http:[^ ,]+)/.exec(await terminal.waitForLine(/ready: /, PATIENCE)) ?? [];
    const changes = terminal.lines.filter((line) => /(?:^|\r)\+ /.test(line));
    assert.ok(
      changes.some((line) => /\+ echo: GET \/echo\/\{message\}/.test(line)),
      terminal.lines.join('\n'),
    );
    await (await fetch(`${url}/echo/hello`)).text();
    await terminal.waitForLine(/^GET \/echo\/hello 200 (?:<1|\d+) ms\s*$/);
    await (await fetch(`${url}/echo/hello?unknown=1`)).text();
    await terminal.waitForLine(/^GET \/echo\/hello 400 .* INVALID_REQUEST: .*event echo\.get, request /);
  });

  it('shows progress of a call after a second', async (t) => {
    const endpoint = await silentPeer(scopeOf(t));
    const { code, text } = await onTerminal(t, `call slow --to ${endpoint} --timeout 2000`);
    assert.equal(code, 1);
    assert.match(text, /⠋ waiting for slow \(1 of 2 s\)/);
    assert.match(text, /error:\S* TIMEOUT/);
  });
});

describe('output without a terminal', () => {
  it('up logs changes as JSON, and with --log-format text as lines', async (t) => {
    const args = ['up', '--workers', 'off', '--port', '0', '--admin', 'off', ...FREE_PORTS];
    const worker = path.resolve('workers/echo.ts');
    for (const [format, expected] of [
      [
        'auto',
        /^\{"level":"info",.*"source":"echo","operations":\["GET \/echo\/\{message\}".*"routes added"\}$/m,
      ],
      ['text', /^\+ echo: GET \/echo\/\{message\}/m],
    ] as const) {
      const { node, line } = await startNode(scopeOf(t), [...args, '--log-format', format]);
      await startNode(scopeOf(t), ['worker', worker, '--router', endpointIn(line, 'backend')]);
      await node.waitForError(expected);
    }
  });

  it('has no colours and no progress, even with FORCE_COLOR', async (t) => {
    const endpoint = await silentPeer(scopeOf(t));
    const env = { FORCE_COLOR: '1', TERM: 'xterm-256color' };
    const call = ['call', 'slow', '--to', endpoint, '--timeout', '1500'];
    for (const args of [call, ['--help'], ['gateway', '--port', 'x']]) {
      const { stdout, stderr } = await runCommand(scopeOf(t), args, { env });
      assert.ok(!(stdout + stderr).includes('\u001b'), args.join(' '));
      assert.doesNotMatch(stderr, /waiting/);
    }
  });

  it('contains a remedy if a call fails', async (t) => {
    const endpoint = await silentPeer(scopeOf(t));
    const { code, stderr } = await runCommand(scopeOf(t), [
      'call',
      'slow',
      '--to',
      endpoint,
      '--timeout',
      '300',
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /^error: TIMEOUT: .*\nwhat to do: Retry only if/);
  });
});
