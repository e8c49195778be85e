// test:all: 10 s; ../gateway-basic.test.ts represents it
/** `zeromq-gateway passwd`: the password comes from a terminal or from standard input, and is never shown. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { verify } from '@node-rs/bcrypt';
import { readUsers } from '../../../src/gateway/security/htpasswd.ts';
import { MAIN, runCommand, startCommand } from '../../helpers/command.ts';
import { within } from '../../helpers/eventually.ts';
import { startProcess } from '../../helpers/processes.ts';
import { scopeOf } from '../../helpers/scope.ts';
import { tempFolder } from '../../helpers/temp.ts';

const noScript = spawnSync('script', ['--version']).status === 0 ? {} : { skip: 'script is not installed' };

type Test = Parameters<typeof scopeOf>[0];

/** Runs the command with lines on standard input. */
async function passwd(t: Test, args: readonly string[], ...lines: string[]) {
  const command = startCommand(scopeOf(t), ['passwd', ...args]);
  for (const line of lines) command.write(line);
  command.closeInput();
  const { code } = await within(command.exited, 'the end of passwd');
  return { code, out: command.lines, err: command.stderr };
}

describe('passwd', () => {
  it('hashes a password from standard input for the gateway', async (t) => {
    const { code, out, err } = await passwd(t, ['eva', '--cost', '10'], 'pass:wörd ');
    assert.deepEqual([code, err, out.length], [0, '', 1]);
    assert.match(out[0] ?? '', /^eva:\$2y\$10\$/);
    const user = readUsers([], out.join('\n')).get('eva');
    assert.equal(await verify('pass:wörd ', user?.hash ?? ''), true);
    assert.equal(await verify('pass:wörd', user?.hash ?? ''), false);
  });

  it('normalizes user names and passwords as clients do', async (t) => {
    const { out } = await passwd(t, ['zoe\u0308'], 'schlu\u0308ssel');
    const user = readUsers([], out.join('\n')).get('zo\u00EB');
    assert.match(user?.hash ?? '', /^\$2y\$12\$/);
    assert.equal(await verify('schl\u00FCssel', user?.hash ?? ''), true);
  });

  it('rejects unusable passwords without printing them', async (t) => {
    const refused: [lines: string[], message: RegExp][] = [
      [[], /error: no password was entered/],
      [[''], /error: no password was entered/],
      [['secret', 'secret'], /error: the password contains control characters/],
      [['sec\u0007ret'], /error: the password contains control characters/],
      [['secret'.repeat(13)], /error: the password has 78 bytes, but bcrypt uses only 72/],
      [['secret'.repeat(1000)], /error: the password is longer than 4096 bytes/],
    ];
    for (const [lines, message] of refused) {
      const { code, out, err } = await passwd(t, ['eva'], ...lines);
      assert.deepEqual([code, out], [1, []]);
      assert.match(err, message);
      assert.doesNotMatch(err, /secret/);
    }
  });

  it('rejects passwords in arguments, and user names that HTTP cannot send', async (t) => {
    const extra = await runCommand(scopeOf(t), ['passwd', 'eva', 'secret']);
    assert.equal(extra.code, 2);
    for (const user of ['e:va', '']) {
      const { code, stderr } = await runCommand(scopeOf(t), ['passwd', user]);
      assert.equal(code, 2);
      assert.match(stderr, /user.*allowed: a user name without colons and control characters/);
    }
  });

  describe('on a terminal', noScript, () => {
    /** Types lines as they are asked for; gives what the terminal shows. */
    async function typed(t: Test, first: string, second: string) {
      const command = `exec ${process.execPath} ${MAIN} passwd eva --cost 10`;
      const args = ['--quiet', '--return', '--command', command, '/dev/null'];
      const terminal = startProcess(scopeOf(t), 'script', args, {
        cwd: tempFolder(t),
        env: { TERM: 'dumb' },
      });
      const text = () => terminal.lines.join('\n');
      // The question stands in a line that ends only with the answer: the answer may be typed ahead of it.
      terminal.write(first);
      await terminal.waitForLine(/Password: /);
      terminal.write(second);
      const { code } = await within(terminal.exited, 'the end of passwd');
      return { code, text: text() };
    }

    it('asks twice without echo', async (t) => {
      const { code, text } = await typed(t, 'typed-secret', 'typed-secret');
      assert.equal(code, 0, text);
      assert.match(text, /Password: [\s\S]*Password again: [\s\S]*eva:\$2y\$10\$/);
      const line = text.split('\n').find((each) => each.includes('eva:')) ?? '';
      const hash = /eva:(\S+)/.exec(line)?.[1] ?? '';
      assert.equal(await verify('typed-secret', hash), true);
    });

    it('rejects two different entries', async (t) => {
      const { code, text } = await typed(t, 'typed-secret', 'another-secret');
      assert.equal(code, 1);
      assert.match(text, /the passwords differ: run the command again/);
      assert.doesNotMatch(text, /eva:/);
    });
  });
});
