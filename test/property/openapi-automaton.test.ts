/** Automata match the same texts as JavaScript's RegExp. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { automatonOf } from '../../src/openapi/checks/automaton.ts';
import { allowed } from '../helpers/patience.ts';
import fc, { runs } from '../helpers/property.ts';

const RUNS = runs(2000);

const atom = fc.constantFrom(
  'a',
  'b',
  '-',
  'é',
  '😀',
  '.',
  '\\d',
  '\\w',
  '\\W',
  '\\s',
  '\\S',
  '[ab]',
  '[^a]',
  '[a-cé]',
  '[^\\d]',
  '[\\w-]',
  '\\.',
  '\\u0061',
);
// Without `\B`: with `u`, V8 matches it inside of a surrogate pair, unlike the specification.
const assertion = fc.constantFrom('^', '$', '\\b');
const count = fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{1,3}', '{0,2}', '{2,}', '*?', '+?');
const pattern = fc.letrec<{ any: string; part: string }>((tie) => ({
  any: fc
    .array(
      fc.array(tie('part'), { maxLength: 4 }).map((parts) => parts.join('')),
      { minLength: 1, maxLength: 3 },
    )
    .map((all) => all.join('|')),
  part: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    { weight: 1, arbitrary: assertion },
    { weight: 6, arbitrary: fc.tuple(atom, count).map((both) => both.join('')) },
    { weight: 2, arbitrary: fc.tuple(tie('any'), count).map(([inner, times]) => `(?:${inner})${times}`) },
  ),
})).any;
const text = fc
  .array(fc.constantFrom('a', 'b', 'c', '-', '1', ' ', '.', 'é', '😀', '\n'), { maxLength: 6 })
  .map((all) => all.join(''));

describe('automata', () => {
  for (const flags of ['u', '']) {
    it(`automaton: matches like RegExp ${flags === '' ? 'without' : 'with'} the flag u`, () => {
      fc.assert(
        fc.property(pattern, fc.array(text, { minLength: 5, maxLength: 10 }), (source, texts) => {
          const regex = new RegExp(source, flags);
          const automaton = automatonOf(source, flags === 'u');
          assert.ok(automaton);
          for (const one of texts) assert.equal(automaton.test(one), regex.test(one), JSON.stringify(one));
        }),
        { numRuns: RUNS },
      );
    });
  }

  it('automaton: a plain pattern is one that RegExp matches fast', () => {
    fc.assert(
      fc.property(pattern, (source) => {
        if (automatonOf(source, true)?.isPlain !== true) return;
        const regex = new RegExp(source, 'u');
        const start = performance.now();
        for (const part of ['a', 'ab', '-a', 'é', 'a1 ']) regex.test(`${part.repeat(20_000)}\n!`);
        const took = performance.now() - start;
        assert.ok(took < 500 || took < allowed(500), source);
      }),
      { numRuns: RUNS },
    );
  });

  for (const source of [
    '(a+)+$',
    '^(a|a)*$',
    '^(?:a?){50}a{50}$',
    '(x+x+)+y',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
    '(?:a|b|ab)*c',
    '\\s+$',
  ]) {
    it(`automaton: matches ${source} in linear time`, () => {
      const automaton = automatonOf(source, true);
      const start = performance.now();
      automaton?.test(`${'a'.repeat(100_000)}!`);
      automaton?.test(`${'x '.repeat(100_000)}!`);
      assert.ok(performance.now() - start < allowed(1500));
      assert.equal(automaton?.isPlain, false);
    });
  }

  it('automaton: supports word boundaries and their negation', () => {
    const automaton = automatonOf('^a\\B.\\b', true);
    assert.deepEqual(
      ['ab', 'a-', 'ab c', 'abc'].map((one) => automaton?.test(one)),
      [true, false, true, false],
    );
  });

  it('automaton: is not created for unsupported patterns', () => {
    for (const source of ['(?=a)', '(?<!a)', '(a)\\1', 'a{3000}', '(?:a{100}){100}'])
      assert.equal(automatonOf(source, true), undefined, source);
  });
});
