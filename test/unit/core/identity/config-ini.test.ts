import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { IniDocument } from '../../../../src/core/identity/config-ini.ts';
import { ZeroMQConfigError } from '../../../../src/core/messages/errors.ts';

const SAMPLE = `# Nodes of the shop
[DEFAULT]
Region = north

[client]
; made at the first start
NODE_ID : 0123
motd = hello
    world

    and all
    # not part of it
timeout=5

[Client]
timeout = 7
`;

describe('IniDocument', () => {
  it('IniDocument: reads like configparser', () => {
    const document = IniDocument.parse(SAMPLE);
    assert.deepEqual(document.sectionNames(), ['client', 'Client']);
    assert.deepEqual(document.optionNames('client'), ['node_id', 'motd', 'timeout', 'region']);
    assert.deepEqual(document.optionNames('missing'), []);
    assert.equal(document.get('client', 'Node_Id'), '0123');
    assert.equal(document.get('client', 'motd'), 'hello\nworld\n\nand all');
    assert.equal(document.get('client', 'region'), 'north');
    assert.equal(document.get('Client', 'timeout'), '7');
    assert.equal(document.get('missing', 'region'), undefined);
    assert.equal(document.get('DEFAULT', 'REGION'), 'north');
    assert.equal(document.lineOf('client', 'node_id'), 7);
    assert.equal(document.toString(), SAMPLE);
  });

  it('IniDocument: changes one value and nothing else', () => {
    const changed = IniDocument.parse(SAMPLE).with('client', 'node_id', 'abcd').toString();
    assert.equal(changed, SAMPLE.replace('NODE_ID : 0123', 'NODE_ID : abcd'));
  });

  it('IniDocument: replaces the lines of a value and keeps comments between them', () => {
    const changed = IniDocument.parse(SAMPLE).with('client', 'motd', 'bye').toString();
    assert.equal(changed, SAMPLE.replace('motd = hello\n    world\n\n    and all\n', 'motd = bye\n\n'));
  });

  it('IniDocument: adds an option after the last one of its section', () => {
    const changed = IniDocument.parse(SAMPLE).with('client', 'extra', 'one\ntwo').toString();
    assert.equal(changed, SAMPLE.replace('timeout=5\n', 'timeout=5\nextra = one\n\ttwo\n'));
  });

  it('IniDocument: adds a section at the end with the line endings of the file', () => {
    assert.equal(
      IniDocument.parse('').with('worker', 'node_id', 'ff').toString(),
      '[worker]\nnode_id = ff\n',
    );
    assert.equal(
      IniDocument.parse('[a]\r\nb = 1').with('worker', 'node_id', 'ff').toString(),
      '[a]\r\nb = 1\r\n\r\n[worker]\r\nnode_id = ff\r\n',
    );
  });

  it('IniDocument: a new option does not absorb an indented header after it', () => {
    const document = IniDocument.parse('[a]\n# none yet\n  [b]\n  c = 1\n').with('a', 'x', '1');
    assert.deepEqual(document.sectionNames(), ['a', 'b']);
    assert.equal(document.get('b', 'c'), '1');
  });

  it('IniDocument: reports file and line of a syntax error', () => {
    const faults: [text: string, message: RegExp][] = [
      ['# shop\nnode_id = 1\n', /^shop\.ini:2: text before the first \[section\]$/],
      ['\ufeff[a]\nb=1\n', /^shop\.ini:1: a byte order mark stands before the text/],
      ['[a]\n\nnonsense\n', /^shop\.ini:3: neither "name = value" nor \[section\]: nonsense$/],
      ['[a]\n= 1\n', /^shop\.ini:2: neither/],
      ['[a]\nb=1\nB=2\n', /^shop\.ini:3: duplicate option b in section \[a\]$/],
      ['[a]\n[b]\n[a]\n', /^shop\.ini:3: duplicate section \[a\]$/],
    ];
    for (const [text, message] of faults) {
      assert.throws(
        () => IniDocument.parse(text, 'shop.ini'),
        (error) => error instanceof ZeroMQConfigError && message.test(error.message),
        text,
      );
    }
  });

  it('IniDocument: rejects values that would not be read back unchanged', () => {
    const document = IniDocument.parse('[a]\nb = 1\n');
    const unwritable: [section: string, option: string, value: string][] = [
      ['a', 'b', ' padded '],
      ['a', 'b', 'one\n# two'],
      ['a', 'b', 'one\rtwo'],
      ['a', 'c=d', '1'],
      ['a', '# c', '1'],
      ['a', '', '1'],
      ['new\nline', 'c', '1'],
      ['', 'c', '1'],
    ];
    for (const [section, option, value] of unwritable) {
      assert.throws(
        () => document.with(section, option, value),
        ZeroMQConfigError,
        JSON.stringify([section, option, value]),
      );
    }
  });
});
