/** Reading a body of the type application/x-www-form-urlencoded. */
import { isUtf8 } from 'node:buffer';
import { escapeToken, type Json } from '../../contract/json.ts';
import { parseExact } from '../../core/exact-json.ts';
import { coerce, emptyObject, NONE } from '../bind/coerce.ts';
import { decode, pairsOf } from '../bind/pairs.ts';
import type { Shape } from '../bind/shape.ts';
import type { Fault } from '../problem.ts';
import { BodyError } from './json.ts';

/** Most fields of one form. */
const MAX_FIELDS = 10_000;

/**
 * Reads a form into an object: a name that stands several times is a list, an object stands as JSON.
 * @throws BodyError when the encoding is broken.
 */
export function parseForm(bytes: Buffer, shape: Shape, faults: Fault[]): Json {
  const fields = fieldsOf(bytes);
  const object = emptyObject();
  for (const [name, texts] of fields) {
    const value = readField(texts, shape.property(name), `/body/${escapeToken(name)}`, faults);
    if (value !== NONE) object[name] = value;
  }
  return object;
}

function fieldsOf(bytes: Buffer): Map<string, string[]> {
  if (!isUtf8(bytes)) throw new BodyError('is not UTF-8');
  const fields = new Map<string, string[]>();
  try {
    const pairs = pairsOf(bytes.toString());
    if (pairs.length > MAX_FIELDS) throw new BodyError(`has more than ${MAX_FIELDS} fields`);
    for (const { name, raw } of pairs) {
      const text = decode(raw, true);
      const texts = fields.get(name);
      if (texts === undefined) fields.set(name, [text]);
      else texts.push(text);
    }
  } catch (error) {
    if (error instanceof URIError) throw new BodyError('has broken percent-encoding');
    throw error;
  }
  return fields;
}

function readField(
  texts: readonly string[],
  shape: Shape,
  pointer: string,
  faults: Fault[],
): Json | typeof NONE {
  const [first = ''] = texts;
  if (shape.list && (texts.length > 1 || !shape.single)) return coerce(texts, shape, pointer, faults);
  if (texts.length > 1) {
    faults.push({ pointer, detail: 'is given more than once' });
    return NONE;
  }
  if (!shape.record || shape.single) return coerce(first, shape, pointer, faults);
  try {
    return parseExact(first, 'spelling') as Json;
  } catch {
    faults.push({ pointer, detail: 'must be an object, written as JSON' });
    return NONE;
  }
}
