/**
 * Numbers with their spelling in the file. YAML parses `version: 1.10` as the number 1.1, and
 * 9223372036854775807 as a different integer. The conversion is therefore postponed until the field
 * of the number is known.
 */
import type { ScalarTag, Tags } from 'yaml';
import { ExactNumber, numberLoss, parseNumbers } from '../../core/json/exact-json.ts';

/**
 * A number whose spelling a double does not preserve. It has no `toJSON` because the YAML parser
 * would call it.
 */
export class SpelledNumber {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }

  /** The number itself; exact if a double has a different value. */
  get number(): number | ExactNumber {
    const text = jsonText(this.text);
    return numberLoss(text) === 'value' ? new ExactNumber(text) : Number(text);
  }
}

/** Parses a number. Returns a spelled number if `String` would not return the same text. */
export function spelled(text: string): number | SpelledNumber {
  const number = Number(text);
  return String(number) === text ? number : new SpelledNumber(text);
}

/** Parses a number. Returns a spelled number if a double has a different value. */
export function spelledIfLost(text: string): number | SpelledNumber {
  const number = new SpelledNumber(text);
  return typeof number.number === 'number' ? number.number : number;
}

/** Returns the default tags of YAML, with a parser for decimal numbers. */
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
 * Parses JSON text.
 *
 * @throws {SyntaxError} when the text is not valid JSON.
 * @throws {RangeError} when it is nested some thousand levels deep.
 */
export function parseSpelled(text: string): unknown {
  // Only text with numbers that may lose their spelling needs the slower parser.
  return SUSPECT.test(text) ? parseNumbers(text, spelled) : JSON.parse(text);
}

const SUSPECT = /[\s:,[](?:-?\d[\d.]*[eE]|-?\d+\.\d*0(?![\d.])|-?[\d.]{16}|-0(?![\d.])|-?0\.00000)/;

/**
 * Converts the spelling of a YAML number (1.2.2, 10.3.2) to JSON, which allows no plus sign,
 * leading zero or bare decimal point.
 */
function jsonText(text: string): string {
  const [, minus = '', whole = '', fraction = '', exponent = ''] =
    /^(-?)\+?0*(\d*)\.?(\d*)([eE][-+]?\d+)?$/.exec(text) ?? [];
  const digits = whole === '' ? '0' : whole;
  return minus + digits + (fraction === '' ? '' : `.${fraction}`) + exponent;
}
