import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { readConfig } from '../../../../src/cli/settings/config-file.ts';
import { UsageError } from '../../../../src/cli/settings/errors.ts';
import { ExactNumber } from '../../../../src/core/json/exact-json.ts';
import { suggestion } from '../../../../src/core/messages/suggestion.ts';
import { tempFolder } from '../../../helpers/temp.ts';

const COMMANDS = ['up', 'gateway'];

function folderWith(t: TestContext, files: Record<string, string>): string {
  const folder = tempFolder(t);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return folder;
}

describe('configuration file', () => {
  it('is optional', (t) => {
    assert.equal(readConfig(undefined, tempFolder(t), COMMANDS), undefined);
  });

  it('is found in the working folder, as YAML or JSON', (t) => {
    const yaml = folderWith(t, { 'zeromq-gateway.yaml': 'up:\n  port: 1\n' });
    assert.deepEqual(readConfig(undefined, yaml, COMMANDS)?.sections, { up: { port: 1 } });
    const json = folderWith(t, { 'zeromq-gateway.json': '{"up":{"port":2}}' });
    assert.deepEqual(readConfig(undefined, json, COMMANDS), {
      file: 'zeromq-gateway.json',
      folder: json,
      sections: { up: { port: 2 } },
    });
  });

  it('may be empty or have empty sections', (t) => {
    const folder = folderWith(t, { 'a.yaml': '# nothing yet\n', 'b.yaml': 'up:\n' });
    assert.equal(readConfig('a.yaml', folder, COMMANDS)?.sections, null);
    assert.deepEqual(readConfig('b.yaml', folder, COMMANDS)?.sections, { up: null });
  });

  it('keeps numbers that a double cannot represent', (t) => {
    const folder = folderWith(t, {
      'a.yaml': 'up: { a: 9007199254740993, b: 1e400, c: +1.50, d: 007, e: 0x10, f: .5, g: 10 }',
      'a.json': '{"up":{"a":9007199254740993,"b":1e400,"c":1.50}}',
    });
    const kept = { a: new ExactNumber('9007199254740993'), b: new ExactNumber('1e400'), c: 1.5 };
    const rest = { d: 7, e: 16, f: 0.5, g: 10 };
    assert.deepEqual(readConfig('a.yaml', folder, COMMANDS)?.sections, { up: { ...kept, ...rest } });
    assert.deepEqual(readConfig('a.json', folder, COMMANDS)?.sections, { up: kept });
  });

  const refused: [what: string, files: Record<string, string>, given: string | undefined, message: RegExp][] =
    [
      ['a missing one', {}, 'x.yaml', /config: "x\.yaml" cannot be read: ENOENT/],
      [
        'broken YAML, with the place',
        { 'x.yaml': 'up:\n\t- port' },
        'x.yaml',
        /x\.yaml is not valid YAML: .*line 2/s,
      ],
      [
        'YAML that holds itself',
        { 'x.yaml': 'up: &a { port: [*a] }' },
        'x.yaml',
        /x\.yaml cannot be used: an alias refers to a value that contains it/,
      ],
      [
        'YAML whose aliases multiply',
        {
          'x.yaml': `a: &a [${'1,'.repeat(9)}]\n${'b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n'}up: [${'*b,'.repeat(30)}]`,
        },
        'x.yaml',
        /x\.yaml cannot be used: Excessive alias count/,
      ],
      ['broken JSON', { 'x.json': '{' }, 'x.json', /x\.json is not valid JSON/],
      ['a list', { 'x.yaml': '- up' }, 'x.yaml', /x\.yaml contains \["up"\]; allowed: sections up, gateway/],
      [
        'unknown sections, with a guess',
        { 'x.yaml': 'gatway: {}' },
        'x.yaml',
        /gatway in x\.yaml.*did you mean gateway\?/,
      ],
      [
        'two at once',
        { 'zeromq-gateway.yaml': '', 'zeromq-gateway.json': '{}' },
        undefined,
        /zeromq-gateway\.yaml and zeromq-gateway\.json are both in/,
      ],
    ];
  for (const [what, files, given, message] of refused) {
    it(`rejects ${what}`, (t) => {
      assert.throws(
        () => readConfig(given, folderWith(t, files), COMMANDS),
        (error) => error instanceof UsageError && message.test(error.message),
      );
    });
  }
});

describe('suggestions', () => {
  it('offer only similar names', () => {
    assert.equal(suggestion('prot', ['port', 'host']), ' (did you mean port?)');
    assert.equal(suggestion('Routers', ['router']), ' (did you mean router?)');
    assert.equal(suggestion('elephant', ['port', 'host']), '');
    assert.equal(suggestion('x', []), '');
  });
});
