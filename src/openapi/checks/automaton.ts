/**
 * Regular expressions as automata. An automaton decides in one pass over the text whether it
 * matches, whatever the pattern is, while the engine of JavaScript may backtrack exponentially.
 * `compilePattern` decides which of the two runs a pattern.
 *
 * The package `re2js` 2.10.0 also needs one pass, and is faster (0.3 µs against 7 µs of CPU time
 * for a pattern of e-mail addresses and 23 characters, median of 5 alternating runs). But its `\s`
 * lacks U+00A0 and U+2028, it rejects `\p{Script=Greek}` and `\p{Lowercase_Letter}`, and it does
 * not tell which patterns the engine of JavaScript matches in one pass, which is faster still.
 */
import { type AST, RegExpParser } from '@eslint-community/regexpp';

/** Decides whether a text matches a pattern. */
export interface Matcher {
  test(text: string): boolean;
  toString(): string;
}

/** Maximum number of steps of an automaton. Patterns written by hand stay far below it. */
const MAX_STEPS = 2000;

/**
 * Maximum work for one text. If it is exceeded, the text is accepted and the worker has to check
 * it.
 */
const MAX_WORK = 5_000_000;

/** A part of a pattern that consumes exactly one character. */
interface Atom {
  /** For each of the first 128 characters: 1 if the atom matches it. */
  readonly ascii: Uint8Array;
  /** Matches all other characters; undefined if the atom matches none of them. */
  readonly beyond: RegExp | undefined;
}

type Step =
  | { readonly kind: 'atom'; readonly atom: Atom }
  | { readonly kind: 'fork'; other: number }
  | { readonly kind: 'jump'; to: number }
  | { readonly kind: 'assert'; readonly assert: 'start' | 'end' | 'word' | 'notWord' }
  | { readonly kind: 'match' };

class Unsupported extends Error {}

/**
 * Compiles a pattern to an automaton; returns undefined if the pattern uses lookaround or back
 * references, which automata cannot express, or is too large.
 */
export function automatonOf(pattern: string, unicode: boolean): Automaton | undefined {
  try {
    const parsed = new RegExpParser({ ecmaVersion: 2024 }).parsePattern(pattern, 0, pattern.length, {
      unicode,
    });
    return new Automaton(pattern, unicode, new Builder(unicode).build(parsed));
  } catch (error) {
    if (error instanceof Unsupported || error instanceof RangeError) return undefined;
    throw error;
  }
}

class Builder {
  private readonly steps: Step[] = [];
  private readonly atoms = new Map<string, Atom>();

  constructor(private readonly unicode: boolean) {}

  build(pattern: AST.Pattern): Step[] {
    this.alternatives(pattern.alternatives);
    this.push({ kind: 'match' });
    return this.steps;
  }

  private push<One extends Step>(step: One): One {
    if (this.steps.length >= MAX_STEPS) throw new Unsupported();
    this.steps.push(step);
    return step;
  }

  private alternatives(alternatives: readonly AST.Alternative[]): void {
    const ends: { to: number }[] = [];
    for (const [index, { elements }] of alternatives.entries()) {
      const last = index === alternatives.length - 1;
      const fork = last ? undefined : this.push({ kind: 'fork', other: 0 });
      for (const element of elements) this.element(element);
      if (fork === undefined) continue;
      ends.push(this.push({ kind: 'jump', to: 0 }));
      fork.other = this.steps.length;
    }
    for (const end of ends) end.to = this.steps.length;
  }

  private element(element: AST.Element): void {
    switch (element.type) {
      case 'Character':
      case 'CharacterSet':
      case 'CharacterClass':
        this.push({ kind: 'atom', atom: this.atom(element) });
        return;
      case 'CapturingGroup':
        this.alternatives(element.alternatives);
        return;
      case 'Group':
        if (element.modifiers !== null) throw new Unsupported();
        this.alternatives(element.alternatives);
        return;
      case 'Quantifier':
        this.quantifier(element);
        return;
      case 'Assertion':
        if (element.kind === 'lookahead' || element.kind === 'lookbehind') throw new Unsupported();
        this.push({
          kind: 'assert',
          assert: element.kind === 'word' && element.negate ? 'notWord' : element.kind,
        });
        return;
      case 'Backreference':
      case 'ExpressionCharacterClass':
        throw new Unsupported();
    }
  }

  private quantifier({ element, min, max }: AST.Quantifier): void {
    if (min > MAX_STEPS) throw new Unsupported();
    for (let count = 0; count < min; count += 1) this.element(element);
    if (max === Infinity) {
      const start = this.steps.length;
      const fork = this.push({ kind: 'fork', other: 0 });
      this.element(element);
      this.push({ kind: 'jump', to: start });
      fork.other = this.steps.length;
      return;
    }
    if (max - min > MAX_STEPS) throw new Unsupported();
    const forks: { other: number }[] = [];
    for (let count = min; count < max; count += 1) {
      forks.push(this.push({ kind: 'fork', other: 0 }));
      this.element(element);
    }
    for (const fork of forks) fork.other = this.steps.length;
  }

  private atom(element: Single): Atom {
    const { raw } = element;
    const known = this.atoms.get(raw);
    if (known !== undefined) return known;
    const whole = new RegExp(`^(?:${raw})$`, this.unicode ? 'u' : '');
    const ascii = new Uint8Array(128);
    for (let code = 0; code < 128; code += 1) ascii[code] = whole.test(String.fromCharCode(code)) ? 1 : 0;
    const atom: Atom = { ascii, beyond: isAscii(element) ? undefined : whole };
    this.atoms.set(raw, atom);
    return atom;
  }
}

type Single = AST.Character | AST.CharacterSet | AST.CharacterClass;

/** Returns whether the element matches ASCII characters only. */
function isAscii(element: Single | AST.CharacterClassElement): boolean {
  switch (element.type) {
    case 'Character':
      return element.value < 128;
    case 'CharacterClassRange':
      return element.max.value < 128;
    case 'CharacterSet':
      return (element.kind === 'digit' || element.kind === 'word') && !element.negate;
    case 'CharacterClass':
      return !element.negate && element.elements.every(isAscii);
    case 'ClassStringDisjunction':
    case 'ExpressionCharacterClass':
      return false;
  }
}

class Automaton implements Matcher {
  /** For each step, the generation in which it was last added to the current set of steps. */
  private readonly marks: Uint32Array;
  private generation = 0;

  constructor(
    private readonly pattern: string,
    private readonly unicode: boolean,
    private readonly steps: readonly Step[],
  ) {
    this.marks = new Uint32Array(steps.length);
  }

  /** Returns whether the pattern matches anywhere in the text, unless it is anchored. */
  test(text: string): boolean {
    let current: number[] = [];
    let work = 0;
    for (let at = 0; ; ) {
      // A match may begin at every position.
      this.renew();
      const now: number[] = [];
      for (const step of current) if (this.follow(step, text, at, now)) return true;
      if (this.follow(0, text, at, now)) return true;
      if (at >= text.length) return false;
      work += now.length + 1;
      if (work > MAX_WORK) return true;
      const code = this.unicode ? (text.codePointAt(at) ?? 0) : text.charCodeAt(at);
      current = [];
      for (const index of now) {
        const step = this.steps[index];
        if (step?.kind === 'atom' && takes(step.atom, code)) current.push(index + 1);
      }
      at += code > 0xffff ? 2 : 1;
    }
  }

  /**
   * Whether the engine of JavaScript is as fast as the automaton: the pattern is short, every
   * character leaves at most one way to continue, and the pattern has no loop unless it is anchored
   * at the start of the text.
   */
  get isPlain(): boolean {
    const loops = this.steps.some((step, index) => step.kind === 'jump' && step.to <= index);
    if (this.steps.length > 200 || (loops && !this.isAnchored)) return false;
    const starts = [0, ...this.steps.flatMap(({ kind }, index) => (kind === 'atom' ? [index + 1] : []))];
    return starts.every((start) => this.isCertain(start));
  }

  toString(): string {
    return `automaton ${this.unicode ? 'u' : ''}/${this.pattern}/`;
  }

  private get isAnchored(): boolean {
    return this.reach(0, false).every((index) => this.steps[index]?.kind === 'assert');
  }

  private isCertain(start: number): boolean {
    const atoms = this.reach(start, true).flatMap((index) => {
      const step = this.steps[index];
      return step?.kind === 'atom' ? [step.atom] : [];
    });
    return atoms.every((one, index) => atoms.slice(index + 1).every((other) => !overlap(one, other)));
  }

  /**
   * Returns the atoms, assertions and ends that can follow a step. With `beyond`, it also looks
   * past assertions, as if they all held.
   */
  private reach(start: number, beyond: boolean): number[] {
    const found: number[] = [];
    const seen = new Set<number>();
    const open = [start];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      const step = this.steps[index];
      if (step === undefined || seen.has(index)) continue;
      seen.add(index);
      if (step.kind === 'fork') open.push(index + 1, step.other);
      else if (step.kind === 'jump') open.push(step.to);
      else found.push(index);
      // Only an assertion of the start of the text anchors a pattern; `\b` and `$` do not.
      if (step.kind === 'assert' && (beyond || step.assert !== 'start')) open.push(index + 1);
    }
    return beyond ? found : found.filter((index) => !isPassedBy(this.steps[index]));
  }

  private renew(): void {
    this.generation += 1;
    if (this.generation === 2 ** 32) {
      this.marks.fill(0);
      this.generation = 1;
    }
  }

  /**
   * Adds the atoms that a step reaches without consuming a character; returns true if it reaches
   * the end of the pattern.
   */
  private follow(start: number, text: string, at: number, into: number[]): boolean {
    const open = [start];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (this.marks[index] === this.generation) continue;
      this.marks[index] = this.generation;
      const step = this.steps[index];
      switch (step?.kind) {
        case 'match':
          return true;
        case 'atom':
          into.push(index);
          break;
        case 'jump':
          open.push(step.to);
          break;
        case 'fork':
          open.push(step.other, index + 1);
          break;
        case 'assert':
          if (holds(step.assert, text, at)) open.push(index + 1);
          break;
        case undefined:
          break;
      }
    }
    return false;
  }
}

function isPassedBy(step: Step | undefined): boolean {
  return step?.kind === 'assert' && step.assert !== 'start';
}

function takes({ ascii, beyond }: Atom, code: number): boolean {
  return code < 128 ? ascii[code] === 1 : beyond?.test(String.fromCodePoint(code)) === true;
}

function overlap(one: Atom, other: Atom): boolean {
  if (one.beyond !== undefined && other.beyond !== undefined) return true;
  return one.ascii.some((meant, code) => meant === 1 && other.ascii[code] === 1);
}

function holds(assert: 'start' | 'end' | 'word' | 'notWord', text: string, at: number): boolean {
  if (assert === 'start') return at === 0;
  if (assert === 'end') return at === text.length;
  const isBoundary = isWord(text[at - 1]) !== isWord(text[at]);
  return isBoundary === (assert === 'word');
}

function isWord(char: string | undefined): boolean {
  return char !== undefined && /\w/.test(char);
}
