/** Tests that paths are matched correctly and in time proportional to the path. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTemplate, textsOf } from '../../../src/gateway/paths/path-pattern.ts';
import { PathTree } from '../../../src/gateway/paths/path-tree.ts';
import {
  type Ends,
  rightmost,
  type SearchableText,
  splitSegment,
} from '../../../src/gateway/paths/segment-split.ts';
import fc, { runs } from '../../helpers/property.ts';

/** A text that counts compared characters. */
class Counted implements SearchableText {
  steps = 0;

  constructor(private readonly text: string) {}

  get length(): number {
    return this.text.length;
  }

  startsWith(literal: string): boolean {
    return this.stands(literal, 0);
  }

  endsWith(literal: string): boolean {
    return this.stands(literal, this.text.length - literal.length);
  }

  lastIndexOf(literal: string, from = this.text.length): number {
    for (let at = from; at >= 0; at -= 1) if (this.stands(literal, at)) return at;
    return -1;
  }

  private stands(literal: string, at: number): boolean {
    for (let index = 0; index < literal.length; index += 1) {
      this.steps += 1;
      if (this.text[at + index] !== literal[index]) return false;
    }
    return true;
  }
}

/**
 * Finds the first match by exhaustive search. Each parameter is as long as possible, the first one
 * first.
 */
function reference(text: string, literals: readonly string[]): Ends | undefined {
  const [prefix = '', ...others] = literals;
  if (!text.startsWith(prefix)) return undefined;
  const read = (start: number, rest: readonly string[]): number[] | undefined => {
    const [literal = '', ...more] = rest;
    for (let end = text.length; end > start; end -= 1) {
      if (!text.startsWith(literal, end)) continue;
      const next = end + literal.length;
      const ends = more.length > 0 ? read(next, more) : next === text.length ? [] : undefined;
      if (ends !== undefined) return [end, ...ends];
    }
    return undefined;
  };
  return read(prefix.length, others);
}

const few = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.'), maxLength: 14 });
const between = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.'), minLength: 1, maxLength: 3 });
/** Literal texts before, between and after one to five parameters. */
const literalsOf = fc
  .tuple(few, fc.array(between, { maxLength: 4 }), few)
  .map(([before, inner, after]) => [before.slice(0, 2), ...inner, after.slice(0, 2)]);

describe('splitSegment', () => {
  it('splitSegment: finds the same result as an exhaustive search', () => {
    fc.assert(
      fc.property(few, literalsOf, (text, literals) => {
        assert.deepEqual(rightmost(text, literals), reference(text, literals));
      }),
      { numRuns: runs(5000) },
    );
  });

  it('splitSegment: takes steps proportional to the text, for every template', () => {
    const unit = fc.constantFrom('a', '-', 'a-', 'aa-', 'aaab', '.');
    const long = fc.tuple(fc.array(unit, { minLength: 1, maxLength: 6 }), fc.nat({ max: 3000 }));
    const literal = fc.array(unit, { minLength: 1, maxLength: 6 }).map((units) => units.join(''));
    const literals = fc.array(literal, { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(long, literals, ([units, times], parts) => {
        const text = new Counted(units.join('').repeat(times));
        rightmost(text, parts);
        const longest = Math.max(...parts.map(({ length }) => length));
        assert.ok(text.steps <= longest * (text.length + 2), `${text.steps} steps for ${text.length}`);
      }),
    );
  });

  it('splitSegment: limits schema checks, and returns the first accepted result or the longest', () => {
    fc.assert(
      fc.property(
        few,
        literalsOf,
        fc.func(fc.boolean()),
        fc.nat({ max: 400 }),
        (text, literals, rule, times) => {
          const sent = `${literals[0] ?? ''}x${text}${'-'.repeat(times)}${literals.slice(1).join('x')}`;
          let questions = 0;
          const found = splitSegment(sent, literals, (parameter, value) => {
            questions += 1;
            return rule(parameter, value.length % 7);
          });
          const parameters = literals.length - 1;
          assert.ok(questions <= 64 + 2 * parameters);
          if (found === undefined) return assert.equal(rightmost(sent, literals), undefined);
          assert.equal(found.length, parameters);
          assert.ok(found.every((value) => value !== ''));
          assert.equal(
            found.map((value, index) => (literals[index] ?? '') + value).join('') + literals.at(-1),
            sent,
          );
        },
      ),
    );
  });

  it('splitSegment: checks all results if there are few', () => {
    const accepted = fc.constantFrom('a', 'b', 'ab', 'a-b', 'a.a', '-');
    fc.assert(
      fc.property(accepted, accepted, fc.constantFrom('-', '.', 'a'), (first, second, literal) => {
        const found = splitSegment(first + literal + second, ['', literal, ''], (parameter, value) =>
          parameter === 0 ? value === first : value === second,
        );
        assert.deepEqual(found, [first, second]);
      }),
    );
  });
});

const hex = (byte: number, upper: boolean): string => {
  const digits = byte.toString(16).padStart(2, '0');
  return `%${upper ? digits.toUpperCase() : digits}`;
};
/** Escapes all required characters and some others, with digits in either case. */
function escaped(text: string, choices: () => number): string {
  return Array.from(text, (character) => {
    const must = !/[A-Za-z0-9\-._~:@!$&'()*+,;=]/.test(character);
    const may = /[A-Za-z0-9\-._~]/.test(character);
    if (!must && !(may && choices() % 3 === 0)) return character;
    return Array.from(Buffer.from(character), (byte) => hex(byte, choices() % 2 === 0)).join('');
  }).join('');
}

describe('percent-encoding of a path', () => {
  it('percent-encoding: unnecessary escapes do not change the result', () => {
    const literal = fc.string({ unit: fc.constantFrom(...'abö€😀-_~:'), minLength: 1, maxLength: 4 });
    const value = fc.string({ unit: fc.constantFrom(...'xyzé/?#%🎈,;'), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(literal, value, literal, value, fc.infiniteStream(fc.nat()), (one, x, two, y, stream) => {
        const choices = (): number => stream.next().value ?? 0;
        const sent = `/p/${[one, x, two, y].map((text) => escaped(text, choices)).join('')}`;
        const template = parseTemplate(`/p/${one}{x}${two}{y}`);
        const tree = new PathTree<string>();
        tree.add(template, 'found');
        const segments = sent.slice(1).split('/');
        assert.deepEqual(tree.find(segments, sent.includes('%')), ['found'], sent);
        const texts = textsOf(template, segments, () => true).map(decodeURIComponent);
        assert.deepEqual(texts, [x, y]);
      }),
    );
  });
});

/**
 * Returns how well a template matches a path: one number per segment, in order of importance, or
 * undefined if it does not match.
 */
function fit(template: string, path: string): number[] | undefined {
  const wanted = parseTemplate(template).segments;
  const given = path.slice(1).split('/');
  if (wanted.length !== given.length) return undefined;
  const marks = wanted.map(({ literals }, index) => {
    const text = given[index] ?? '';
    if (literals.length === 1) return literals[0] === text ? Infinity : -1;
    return reference(text, literals) === undefined ? -1 : literals.join('').length;
  });
  return marks.includes(-1) ? undefined : marks;
}

describe('the path tree', () => {
  it('PathTree: later segments decide between templates that are equal in the first', () => {
    const tree = new PathTree<string>();
    for (const each of ['/{}a{}/ab', '/-{}/{}', '/-{}/{}/x']) tree.add(parseTemplate(each), each);
    assert.deepEqual(tree.find(['-aa', 'ab'], false), ['/{}a{}/ab']);
    assert.deepEqual(tree.find(['-aa', 'b'], false), ['/-{}/{}']);
    assert.deepEqual(tree.find(['-aa', 'ab', 'x'], false), ['/-{}/{}/x']);
  });

  it('PathTree: finds the best matching templates', () => {
    const part = fc.constantFrom('a', 'b', '-', '.', '{}', '{}', '.a');
    const segment = fc
      .array(part, { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join('').replace(/(\{\})+/g, '{}'));
    const template = fc
      .array(segment, { minLength: 1, maxLength: 3 })
      .map((segments) => `/${segments.join('/')}`);
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.'), maxLength: 5 });
    const sent = fc.array(text, { minLength: 1, maxLength: 3 }).map((texts) => `/${texts.join('/')}`);
    const many = fc.uniqueArray(template, { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(many, sent, (templates, path) => {
        const tree = new PathTree<string>();
        for (const each of templates) tree.add(parseTemplate(each), each);
        const fits = templates.flatMap((each) => {
          const marks = fit(each, path);
          return marks === undefined ? [] : [{ each, marks: marks.join('/'), order: marks }];
        });
        const best = fits.reduce<(typeof fits)[number] | undefined>(
          (first, next) => (first === undefined || isBetter(next.order, first.order) ? next : first),
          undefined,
        );
        const expected = fits.filter(({ marks }) => marks === best?.marks).map(({ each }) => each);
        assert.deepEqual([...tree.find(path.slice(1).split('/'), false)].sort(), expected.sort());
      }),
      { numRuns: runs(3000) },
    );
  });
});

function isBetter(one: readonly number[], other: readonly number[]): boolean {
  const at = one.findIndex((mark, index) => mark !== other[index]);
  return at !== -1 && (one[at] ?? 0) > (other[at] ?? 0);
}
