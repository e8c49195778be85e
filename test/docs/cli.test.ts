/**
 * docs/cli.md shows the help of every command as it is.
 * After a wanted change: `UPDATE_SNAPSHOTS=1 npm test -- test/docs/cli`.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { COMMANDS, run } from '../../src/cli/program.ts';
import { variableOf } from '../../src/cli/settings/settings.ts';

const PAGE = new URL('../../docs/cli.md', import.meta.url);

/** A mark, and the block below it that holds the help. */
const BLOCK = /<!-- help: zeromq-gateway ?(.*?) -->\n(\n```text\n[^`]*```\n)?/g;

async function helpOf(command: string): Promise<string> {
  const lines: string[] = [];
  const out = (line: string) => void lines.push(line);
  const code = await run([...command.split(' ').filter(Boolean), '--help'], {
    cwd: '/',
    env: {},
    out,
    err: out,
  });
  assert.equal(code, 0);
  return lines.join('\n');
}

test('docs/cli.md shows the help of each command', async () => {
  const page = readFileSync(PAGE, 'utf8');
  const shown = [...page.matchAll(BLOCK)].map(([, name = '']) => name);
  assert.deepEqual(shown, ['', ...Object.keys(COMMANDS)]);
  const helps = new Map<string, string>();
  for (const name of shown) helps.set(name, await helpOf(name));
  const right = page.replace(BLOCK, (_, name: string) => {
    return `<!-- help: ${`zeromq-gateway ${name}`.trim()} -->\n\n\`\`\`text\n${helps.get(name)}\n\`\`\`\n`;
  });
  if (process.env['UPDATE_SNAPSHOTS']) writeFileSync(PAGE, right);
  assert.equal(readFileSync(PAGE, 'utf8'), right);
});

test('the help of each command names all its flags and variables', async () => {
  for (const [name, { load }] of Object.entries(COMMANDS)) {
    const { settings } = await load();
    const help = await helpOf(name);
    for (const setting of Object.keys(settings))
      assert.match(help, new RegExp(`\\b${variableOf(setting)}\\b`));
  }
});
