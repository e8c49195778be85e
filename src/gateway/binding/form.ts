/** Reads bodies of the media type `application/x-www-form-urlencoded`. */
import { isUtf8 } from 'node:buffer';
import { escapeToken, type Json, type JsonObject } from '../../contract/json.ts';
import { parseExact } from '../../core/json/exact-json.ts';
import type { FieldEncoding } from '../../openapi/model/operation.ts';
import { isJsonType } from '../common/media-type.ts';
import type { RequestIssue } from '../common/problem.ts';
import type { Shape } from '../validation/shape.ts';
import { coerce, coerceText, emptyObject, INVALID, type Invalid } from './coerce.ts';
import { BodyError } from './json.ts';
import { type GivenByReader, NamedReaders, readGiven } from './named.ts';
import { decode, type Pair, pairsOf } from './pairs.ts';
import { Fields, ParameterReader } from './parameters.ts';

/** A field of a form. */
export interface FormField extends Pair {
  /** Media type of the field, if it has one of its own. */
  readonly contentType?: string | undefined;
}

/** Maximum number of fields in a form. */
const MAX_FIELDS = 10_000;

/**
 * Reads the forms of one operation (OpenAPI 3.1.1, Encoding Object; Encoding the
 * x-www-form-urlencoded Media Type).
 */
export class Form {
  private readonly styled: NamedReaders;

  /** @param encoding the Encoding Objects of the document, by name of the field. */
  constructor(
    private readonly shape: Shape,
    private readonly encoding: Readonly<Record<string, FieldEncoding>>,
  ) {
    const readers = Object.entries(encoding).flatMap(([name, how]) => this.readerOf(name, how) ?? []);
    this.styled = new NamedReaders(readers);
  }

  /**
   * Parses a URL-encoded form.
   * @throws {BodyError} when the percent-encoding is not valid.
   */
  parse(bytes: Buffer, issues: RequestIssue[]): JsonObject {
    return this.read(pairsIn(bytes), issues);
  }

  /**
   * Reads fields into an object. A field with a style in the Encoding Object is read like a query
   * parameter. Otherwise a repeated name is an array, and objects are written as JSON.
   * @throws {BodyError} when the percent-encoding is not valid.
   */
  read(given: readonly FormField[], issues: RequestIssue[]): JsonObject {
    const object = emptyObject();
    const styled: GivenByReader = [];
    const plain = new Map<string, PlainField>();
    for (const pair of given) {
      // An exploded object with additional properties does not take the fields of other properties.
      const known = this.shape.names.includes(pair.name);
      if (this.styled.assign(pair, styled, known)) continue;
      const field = plain.get(pair.name) ?? { texts: [], contentType: pair.contentType };
      field.texts.push(textOf(pair));
      plain.set(pair.name, field);
    }
    const fields = new Fields(true);
    for (const [index, reader] of this.styled.readers.entries()) {
      const values = styled[index];
      if (values !== undefined) readGiven(reader, values, fields, issues);
    }
    for (const [name, value] of fields.values ?? []) object[name] = value;
    for (const [name, { texts, contentType: own }] of plain) {
      const declared = Object.hasOwn(this.encoding, name) ? this.encoding[name]?.contentType : undefined;
      const contentType = own ?? declared;
      const pointer = `/body/${escapeToken(name)}`;
      const value = readField(texts, this.shape.property(name), contentType, pointer, issues);
      if (value !== INVALID) object[name] = value;
    }
    return object;
  }

  private readerOf(name: string, { style, explode }: FieldEncoding): ParameterReader | undefined {
    if (style === undefined) return undefined;
    const binding = {
      name,
      in: 'query',
      field: name,
      required: false,
      style,
      explode,
      allowReserved: false,
      allowEmptyValue: false,
      contentType: undefined,
      schema: true,
      pointer: '',
    } as const;
    // The body is validated as a whole.
    const rules = { maxDepth: 0, fillsDefaults: false, location: 'body' } as const;
    return new ParameterReader(binding, this.shape.property(name), undefined, rules);
  }
}

/** The texts of a field without a style. */
interface PlainField {
  readonly texts: string[];
  readonly contentType: string | undefined;
}

function pairsIn(bytes: Buffer): readonly Pair[] {
  if (!isUtf8(bytes)) throw new BodyError('is not UTF-8');
  try {
    const pairs = pairsOf(bytes.toString());
    if (pairs.length > MAX_FIELDS) throw new BodyError(`has more than ${MAX_FIELDS} fields`);
    return pairs;
  } catch (error) {
    if (error instanceof URIError) throw new BodyError('has invalid percent-encoding');
    throw error;
  }
}

function textOf({ raw }: Pair): string {
  try {
    return decode(raw, true);
  } catch {
    throw new BodyError('has invalid percent-encoding');
  }
}

/** Reads a field without a style. */
function readField(
  texts: readonly string[],
  shape: Shape,
  contentType: string | undefined,
  pointer: string,
  issues: RequestIssue[],
): Json | Invalid {
  const [first = ''] = texts;
  if (texts.length > 1 && !shape.acceptsArray) {
    issues.push({ pointer, detail: 'is given more than once' });
    return INVALID;
  }
  const isText = shape.acceptsScalar || (shape.acceptsNull && first === '') || !shape.acceptsArray;
  if (texts.length === 1 && isText) return readValue(first, shape, contentType, pointer, issues);
  const items = texts.length === 1 && isJsonItem(shape.item(0), contentType) ? jsonOf(first) : undefined;
  // Some callers write the whole array as JSON.
  if (Array.isArray(items)) return items;
  const own: RequestIssue[] = [];
  const list = readItems(texts, shape, contentType, pointer, own);
  if (own.length === 0) return list;
  // swagger-client joins arrays with commas, as in OpenAPI 2. If the items are strings, a comma is
  // data.
  const joined = texts.length === 1 && contentType === undefined ? first.split(',') : [];
  const others: RequestIssue[] = [];
  const split = joined.length > 1 ? readItems(joined, shape, contentType, pointer, others) : list;
  if (joined.length > 1 && others.length === 0) return split;
  issues.push(...own);
  return INVALID;
}

function readItems(
  texts: readonly string[],
  shape: Shape,
  contentType: string | undefined,
  pointer: string,
  issues: RequestIssue[],
): Json[] {
  const list: Json[] = [];
  for (const [index, text] of texts.entries()) {
    const value = readValue(text, shape.item(index), contentType, `${pointer}/${index}`, issues);
    if (value !== INVALID) list.push(value);
  }
  return list;
}

/** Whether a value is written as JSON. Without a content type, only objects are. */
function isJsonItem(shape: Shape, contentType: string | undefined): boolean {
  return contentType === undefined ? shape.acceptsObject : isJsonType(contentType);
}

function readValue(
  text: string,
  shape: Shape,
  contentType: string | undefined,
  pointer: string,
  issues: RequestIssue[],
): Json | Invalid {
  if (!isJsonItem(shape, contentType)) return coerce(text, shape, pointer, issues);
  const asText = contentType === undefined && (shape.acceptsScalar || (shape.acceptsNull && text === ''));
  const own: RequestIssue[] = [];
  const value = asText ? coerceText(text, shape, pointer, own) : INVALID;
  if (value !== INVALID) return value;
  const json = jsonOf(text);
  if (json !== undefined) return json;
  const detail = shape.acceptsObject ? 'must be an object, written as JSON' : 'must be written as JSON';
  issues.push(own[0] ?? { pointer, detail });
  return INVALID;
}

function jsonOf(text: string): Json | undefined {
  try {
    return parseExact(text, 'spelling') as Json;
  } catch {
    return undefined;
  }
}
