import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { IniDocument } from '../../../../src/core/identity/config-ini.ts';
import { ZeroMQConfigError } from '../../../../src/core/messages/errors.ts';
import fc, { runs } from '../../../helpers/property.ts';
import { type Parsed, readWithPython } from '../../../helpers/python-ini.ts';

const word = fc.constantFrom(
  'a',
  'b',
  'Key',
  'key',
  'node_id',
  'é',
  'x y',
  'İ',
  '%(a)s',
  '\u00a0',
  '\ufeff',
  '\x1c',
);
const space = fc.constantFrom('', '', '', ' ', '  ', '\t', '\u00a0', '\u2003', '\x0b');
const value = fc.oneof(
  word,
  fc.constantFrom('', '1', 'a = b', 'x # y', '; z', '[no]', 'a:b'),
  fc.string({ unit: 'binary' }),
);
const header = fc
  .tuple(
    space,
    fc.constantFrom('client', 'worker', 'Client', 'DEFAULT', 'a]b', ' s '),
    fc.constantFrom('', ' ; c', ' x'),
  )
  .map(([indent, name, rest]) => `${indent}[${name}]${rest}`);
const option = fc
  .tuple(space, word, space, fc.constantFrom('=', ':'), space, value)
  .map((parts) => parts.join(''));
const comment = fc.tuple(space, fc.constantFrom('#', ';', '# [a]', '; b = 1')).map((parts) => parts.join(''));
const continuation = fc.tuple(fc.constantFrom('  ', '\t', '      '), value).map((parts) => parts.join(''));
const line = fc.oneof(
  { weight: 4, arbitrary: option },
  { weight: 2, arbitrary: header },
  { weight: 2, arbitrary: continuation },
  { weight: 1, arbitrary: comment },
  { weight: 1, arbitrary: space },
  { weight: 1, arbitrary: value },
);
const eol = fc.constantFrom('\n', '\n', '\n', '\r\n', '\r');
const text = fc
  .tuple(fc.boolean(), fc.array(fc.tuple(line, eol), { maxLength: 12 }), fc.constantFrom('', 'last = 1'))
  .map(([headed, lines, last]) => (headed ? '[client]\n' : '') + lines.flat().join('') + last);

/** The parsed document in the shape of Python's result. */
function read(source: string): { parsed?: Parsed; error?: string } {
  try {
    return { parsed: toParsed(IniDocument.parse(source)) };
  } catch (error) {
    assert.ok(error instanceof ZeroMQConfigError);
    assert.match(error.message, /^config\.ini:\d+: /);
    return { error: error.message };
  }
}

function toParsed(document: IniDocument): Parsed {
  const entries = (section: string) =>
    document.optionNames(section).map((name) => [name, document.get(section, name) ?? ''] as const);
  return Object.fromEntries(document.sectionNames().map((name) => [name, Object.fromEntries(entries(name))]));
}

describe('IniDocument with random text', () => {
  it('IniDocument: reads or rejects random text like configparser', () => {
    const texts = fc.sample(text, 3000);
    const results = readWithPython(texts);
    let readable = 0;
    for (const [index, source] of texts.entries()) {
      const expected = results[index];
      const actual = read(source);
      const label = JSON.stringify({ source, expected, actual });
      assert.equal(actual.error === undefined, expected?.error === undefined, label);
      assert.deepEqual(actual.parsed, expected?.parsed, label);
      if (actual.parsed !== undefined) readable += 1;
    }
    assert.ok(readable > 300, `only ${readable} of the texts were readable`);
  });

  it('IniDocument: writes back byte for byte what it read', () => {
    fc.assert(
      fc.property(text, (source) => {
        fc.pre(read(source).parsed !== undefined);
        assert.equal(IniDocument.parse(source).toString(), source);
      }),
    );
  });

  it('IniDocument: sets one option and leaves other options and comments unchanged, also for configparser', () => {
    const section = fc.constantFrom('client', 'worker', 'brand new', 'DEFAULT');
    const name = fc.constantFrom('node_id', 'KEY', 'new');
    const to = fc.constantFrom('0123456789abcdef', '', 'one\ntwo', '\nindented\n\nmore', 'a = b', '[x]');
    const texts: string[] = [];
    fc.assert(
      fc.property(text, section, name, to, (source, at, key, set) => {
        fc.pre(read(source).parsed !== undefined);
        const before = IniDocument.parse(source);
        const after = before.with(at, key, set);
        assert.equal(after.get(at, key), set);
        const added = at === 'DEFAULT' || before.sectionNames().includes(at) ? [] : [at];
        assert.deepEqual(after.sectionNames(), [...before.sectionNames(), ...added]);
        for (const each of [...before.sectionNames(), 'DEFAULT']) {
          const touched = each === at || at === 'DEFAULT';
          const options = new Set([...before.optionNames(each), ...(touched ? [key.toLowerCase()] : [])]);
          assert.deepEqual(new Set(after.optionNames(each)), options);
          for (const option of options) {
            if (touched && option === key.toLowerCase()) continue;
            assert.equal(after.get(each, option), before.get(each, option));
          }
        }
        assert.deepEqual(comments(after.toString()), comments(source));
        texts.push(after.toString());
      }),
      { numRuns: runs(500) },
    );
    for (const [index, { parsed }] of readWithPython(texts).entries()) {
      const source = texts[index] ?? '';
      assert.deepEqual(parsed, read(source).parsed, JSON.stringify(source));
    }
  });
});

function comments(source: string): string[] {
  return source.split(/\r\n|\r|\n/).filter((each) => /^\s*[#;]/.test(each));
}
