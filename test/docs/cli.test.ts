/**
 * The pages in docs/cli/ show the current help of every command.
 * After an intended change: `UPDATE_SNAPSHOTS=1 npm test -- test/docs/cli`.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { COMMANDS, run } from '../../src/cli/program.ts';
import { OPTION_GROUPS, variableOf } from '../../src/cli/settings/settings.ts';

const FOLDER = new URL('../../docs/cli/', import.meta.url);

/** A marker, and the code block below it with the help. */
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

test('docs/cli: has a page for each command', () => {
  const expected = ['index.md', ...Object.keys(COMMANDS).map((name) => `${name}.md`)];
  assert.deepEqual(readdirSync(FOLDER).sort(), expected.sort());
});

for (const command of ['', ...Object.keys(COMMANDS)]) {
  const name = `${command || 'index'}.md`;
  test(`docs/cli/${name}: shows the help of its command`, async () => {
    const page = new URL(name, FOLDER);
    const source = readFileSync(page, 'utf8');
    assert.deepEqual(
      [...source.matchAll(BLOCK)].map(([, shown]) => shown),
      [command],
    );
    const help = await helpOf(command);
    const expected = source.replace(
      BLOCK,
      () => `<!-- help: ${`zeromq-gateway ${command}`.trim()} -->\n\n\`\`\`text\n${help}\n\`\`\`\n`,
    );
    if (process.env['UPDATE_SNAPSHOTS']) writeFileSync(page, expected);
    assert.equal(readFileSync(page, 'utf8'), expected);
  });
}

test('CLI help: each command lists all its flags and variables', async () => {
  for (const [name, { load }] of Object.entries(COMMANDS)) {
    const { settings } = await load();
    const help = await helpOf(name);
    for (const [key, setting] of Object.entries(settings))
      assert.match(help, new RegExp(`\\b${variableOf(key, setting)}\\b`));
  }
});

test('CLI help: shows at most 15 options under a heading, and only known headings', async () => {
  for (const name of Object.keys(COMMANDS)) {
    const sections = (await helpOf(name)).split(/^(?=[A-Z][\w ]*:$)/m).slice(1);
    for (const section of sections) {
      const [heading = ''] = section.split(':');
      if (['Arguments', 'Environment only', 'Examples'].includes(heading)) continue;
      assert.ok((OPTION_GROUPS as readonly string[]).includes(heading), `${name}: ${heading}`);
      const options = section.match(/^ {2}-/gm) ?? [];
      assert.ok(options.length <= 17, `${name}: ${heading} has ${options.length} options`);
    }
  }
});
