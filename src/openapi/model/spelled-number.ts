/**
 * Numbers as a file spells them. YAML reads `version: 1.10` as the number 1.1 and 9223372036854775807 as another
 * integer; what a number becomes is decided once the place where it stands is known.
 */
import type { ScalarTag, Tags } from 'yaml';
import { ExactNumber, numberLoss, parseNumbers } from '../../core/json/exact-json.ts';

/** A number whose spelling a double does not keep. It has no `toJSON`, so that the YAML parser hands it on. */
export class SpelledNumber {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }

  /** The number: exact where a double has another value. */
  get number(): number | ExactNumber {
    const text = jsonText(this.text);
    return numberLoss(text) === 'value' ? new ExactNumber(text) : Number(text);
  }
}

/** The number of a text, spelled where `String` would not give the same text back. */
export function spelled(text: string): number | SpelledNumber {
  const number = Number(text);
  return String(number) === text ? number : new SpelledNumber(text);
}

/** The number of a text, spelled where a double has another value. */
export function spelledIfLost(text: string): number | SpelledNumber {
  const number = new SpelledNumber(text);
  return typeof number.number === 'number' ? number.number : number;
}

/** The usual tags of YAML, with a reader for decimal numbers. */
export function numberTags(read: (text: string) => unknown): (tags: Tags) => Tags {
  return (tags) =>
    tags.map((tag) => (isDecimal(tag) ? { ...tag, resolve: (text: string) => read(text) } : tag));
}

function isDecimal(tag: Tags[number]): tag is ScalarTag {
  if (typeof tag !== 'object' || !/:(int|float)$/.test(tag.tag)) return false;
  const { test } = tag as ScalarTag;
  return ['0', '0.5', '1e3'].some((number) => test?.test(number) === true);
}

/**
 * Reads JSON text.
 * @throws {SyntaxError} when it is not JSON.
 * @throws {RangeError} when it is nested some thousand levels deep.
 */
export function parseSpelled(text: string): unknown {
  // Only such numbers need the slower parser.
  return SUSPECT.test(text) ? parseNumbers(text, spelled) : JSON.parse(text);
}

const SUSPECT = /[\s:,[](?:-?\d[\d.]*[eE]|-?\d+\.\d*0(?![\d.])|-?[\d.]{16}|-0(?![\d.])|-?0\.00000)/;

/** What JSON has for a number of YAML (1.2.2, 10.3.2): no plus sign, leading zero or bare point. */
function jsonText(text: string): string {
  const [, minus = '', whole = '', fraction = '', exponent = ''] =
    /^(-?)\+?0*(\d*)\.?(\d*)([eE][-+]?\d+)?$/.exec(text) ?? [];
  const digits = whole === '' ? '0' : whole;
  return minus + digits + (fraction === '' ? '' : `.${fraction}`) + exponent;
}
