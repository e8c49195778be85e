/** Reading a JSON body: strict, bounded in depth, and with the place of a mistake. */
import { isUtf8 } from 'node:buffer';
import type { Json } from '../../contract/json.ts';
import { describeMistake } from './json-mistake.ts';

/** A body that was read. */
export interface ParsedBody {
  readonly value: Json;
  /**
   * JSON text of exactly this value, where the text that was sent can be passed on. Not given when it cannot: a name
   * that stands twice in one object could be read otherwise at the worker than it was here.
   */
  readonly bytes: Buffer | undefined;
}

/** The body is no JSON, or more deeply nested than allowed; the message is a sentence for the caller. */
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
}

/**
 * Reads a JSON text.
 * @param maxDepth levels of nesting allowed.
 * @throws BodyError
 */
export function parseJson(bytes: Buffer, maxDepth: number): ParsedBody {
  const text = withoutMark(bytes);
  if (!isUtf8(text)) throw new BodyError('is not UTF-8');
  const outline = outlineOf(text);
  if (outline.depth > maxDepth) throw new BodyError(`is nested more than ${maxDepth} levels deep`);
  const source = text.toString();
  let value: Json;
  try {
    value = JSON.parse(source) as Json;
  } catch {
    throw new BodyError(describeMistake(source));
  }
  return { value, bytes: countPairs(value) === outline.pairs ? text : undefined };
}

/** Leaves out a byte order mark (RFC 8259, 8.1). */
function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

function outlineOf(bytes: Buffer): Outline {
  let pairs = 0;
  let level = 0;
  let depth = 0;
  const { length } = bytes;
  for (let index = 0; index < length; index += 1) {
    const byte = bytes[index];
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
    }
  }
  return { pairs, depth };
}

function countPairs(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0;
  let pairs = 0;
  if (Array.isArray(value)) {
    for (const item of value) pairs += countPairs(item);
    return pairs;
  }
  for (const name in value) pairs += 1 + countPairs(value[name] ?? null);
  return pairs;
}
