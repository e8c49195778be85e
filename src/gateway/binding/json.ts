/** Reading a JSON body: strict, bounded in depth, and with the place of a mistake. */
import { isUtf8 } from 'node:buffer';
import type { Json } from '../../contract/json.ts';
import {
  addLoss,
  ExactNumber,
  exactNumber,
  MAX_NUMBER_LENGTH,
  type NumberLoss,
  numberEnd,
  parseNumbers,
  startsNumber,
  stringifyExact,
} from '../../core/json/exact-json.ts';
import { describeSyntaxError } from './json-syntax-error.ts';

/** A JSON value that was read from a text. */
export class ParsedBody {
  /**
   * @param current the value. Numbers that a double cannot hold are exact.
   * @param exact whether there are any.
   * @param sentBytes JSON text of exactly this value, where the text that was sent can be passed on. Not given when it
   *   cannot: a name that stands twice in one object could be read otherwise at the worker than it was here.
   * @param originalText the text of the value, if doubles write its numbers otherwise than the caller did.
   */
  constructor(
    private current: Json,
    readonly exact: boolean,
    private sentBytes: Buffer | undefined,
    private originalText: string | undefined = undefined,
  ) {}

  get value(): Json {
    return this.current;
  }

  /** JSON text of the value, with its numbers as they came. */
  get bytes(): Buffer {
    return this.sentBytes ?? Buffer.from(stringifyExact(this.exactValue()));
  }

  /**
   * Changes the value.
   * @param change changes what it is given, in place; returns whether it did.
   */
  change(change: (value: Json) => boolean): void {
    if (change(this.exactValue())) this.sentBytes = undefined;
  }

  /** The value with its numbers as they came. */
  private exactValue(): Json {
    if (this.originalText !== undefined) this.current = readNumbers(this.originalText);
    this.originalText = undefined;
    return this.current;
  }
}

/** The body is not JSON, or more deeply nested than allowed; the message is a sentence for the caller. */
export class BodyError extends Error {}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** What a look at the bytes tells, without reading values. */
interface Outline {
  /** Pairs of name and value, in all objects. */
  pairs: number;
  /** Levels of nesting. */
  depth: number;
  /** What doubles change about the numbers. */
  loss: NumberLoss;
}

/**
 * Reads a JSON text.
 * @param maxDepth levels of nesting allowed.
 * @throws BodyError
 */
export function parseJson(bytes: Buffer, maxDepth: number): ParsedBody {
  const text = stripByteOrderMark(bytes);
  if (!isUtf8(text)) throw new BodyError('is not UTF-8');
  const { depth, pairs, loss } = outlineOf(text);
  if (depth > maxDepth) throw new BodyError(`is nested more than ${maxDepth} levels deep`);
  const source = text.toString();
  let value: Json;
  try {
    value = JSON.parse(source) as Json;
  } catch {
    throw new BodyError(describeSyntaxError(source));
  }
  const passed = countPairs(value) === pairs ? text : undefined;
  if (loss === 'value') return new ParsedBody(readNumbers(source), true, passed);
  return new ParsedBody(value, false, passed, loss === 'spelling' ? source : undefined);
}

/** Reads a JSON text with its numbers as they are spelled. */
function readNumbers(source: string): Json {
  return parseNumbers(source, (text) => {
    if (text.length > MAX_NUMBER_LENGTH)
      throw new BodyError(`has a number of more than ${MAX_NUMBER_LENGTH} characters`);
    return exactNumber(text);
  }) as Json;
}

/** Leaves out a byte order mark (RFC 8259, 8.1). */
function stripByteOrderMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

function outlineOf(bytes: Buffer): Outline {
  let pairs = 0;
  let level = 0;
  let depth = 0;
  let loss: NumberLoss = 'none';
  const { length } = bytes;
  for (let index = 0; index < length; index += 1) {
    const byte = bytes[index] ?? 0;
    if (byte === QUOTE) {
      index += 1;
      while (index < length && bytes[index] !== QUOTE) index += bytes[index] === BACKSLASH ? 2 : 1;
    } else if (byte === COLON) {
      pairs += 1;
    } else if (byte === 0x7b || byte === 0x5b) {
      level += 1;
      if (level > depth) depth = level;
    } else if (byte === 0x7d || byte === 0x5d) {
      level -= 1;
    } else if (startsNumber(byte)) {
      const end = numberEnd(bytes, index);
      if (end < 0) loss = addLoss(loss, bytes, index, ~end);
      index = (end < 0 ? ~end : end) - 1;
    }
  }
  return { pairs, depth, loss };
}

function countPairs(value: Json): number {
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return 0;
  let pairs = 0;
  if (Array.isArray(value)) {
    for (const item of value) pairs += countPairs(item);
    return pairs;
  }
  for (const name in value) pairs += 1 + countPairs(value[name] ?? null);
  return pairs;
}
