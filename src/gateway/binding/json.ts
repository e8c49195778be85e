/** Parses JSON bodies: strictly, with limited depth, and with the position of syntax errors. */
import { isUtf8 } from 'node:buffer';
import type { Json } from '../../contract/json.ts';
import {
  addLoss,
  ExactNumber,
  exactNumber,
  MAX_NUMBER_LENGTH,
  type NumberLoss,
  numberEnd,
  numberLossIn,
  parseNumbers,
  startsNumber,
  stringifyExact,
} from '../../core/json/exact-json.ts';
import { describeSyntaxError } from './json-syntax-error.ts';

/** A JSON value with the text that it was parsed from. */
export class ParsedBody {
  /**
   * @param current the value. Numbers that a double cannot hold are exact numbers.
   * @param exact whether the value contains exact numbers.
   * @param sentBytes JSON text of exactly this value, as the client sent it. Undefined if an object
   *   contains a name twice, since the worker could read another value than the gateway.
   * @param originalText the text of the value, if doubles would spell its numbers differently.
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

  /** JSON text of the value, with its numbers as the client spelled them. */
  get bytes(): Buffer {
    return this.sentBytes ?? Buffer.from(stringifyExact(this.exactValue()));
  }

  /**
   * Changes the value.
   * @param change changes the value in place, and returns whether it did.
   */
  change(change: (value: Json) => boolean): void {
    if (change(this.exactValue())) this.sentBytes = undefined;
  }

  /** The value, with its numbers as the client spelled them. */
  private exactValue(): Json {
    if (this.originalText !== undefined) this.current = readNumbers(this.originalText);
    this.originalText = undefined;
    return this.current;
  }
}

/** Thrown when a body cannot be read. The message is for the caller. */
export class BodyError extends Error {}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** Facts about a JSON text, found without parsing its values. */
interface Outline {
  /** Number of members in all objects. */
  pairs: number;
  /** Levels of nesting. */
  depth: number;
  /** What doubles would lose of its numbers. */
  loss: NumberLoss;
}

/**
 * Parses a JSON text.
 * @param maxDepth maximum levels of nesting.
 * @throws {BodyError} when the text is not UTF-8, not JSON, or nested too deeply.
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

/**
 * Parses the JSON text of a reply. Replies pass to the client unchanged, so that only their values
 * matter here.
 * @returns the value, and whether it contains exact numbers.
 * @throws {Error} when the text is not UTF-8 or not JSON.
 */
export function parseReply(bytes: Buffer): { readonly value: Json; readonly exact: boolean } {
  const text = stripByteOrderMark(bytes);
  if (!isUtf8(text)) throw new BodyError('is not UTF-8');
  const source = text.toString();
  const exact = numberLossIn(text) === 'value';
  return { value: exact ? readNumbers(source) : (JSON.parse(source) as Json), exact };
}

/** Parses a JSON text with its numbers as they are spelled. */
function readNumbers(source: string): Json {
  return parseNumbers(source, (text) => {
    if (text.length > MAX_NUMBER_LENGTH)
      throw new BodyError(`has a number of more than ${MAX_NUMBER_LENGTH} characters`);
    return exactNumber(text);
  }) as Json;
}

/** Removes a byte order mark (RFC 8259, 8.1). */
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
