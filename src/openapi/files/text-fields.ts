/**
 * Fields that contain text according to the specification, but that YAML may parse as a number or
 * boolean. For example, an unquoted `version: 1.10` means the version "1.10".
 */
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import type { Kind } from '../../contract/shapes.ts';
import { SpelledNumber } from '../model/spelled-number.ts';

const INFO = ['title', 'version', 'summary', 'description', 'termsOfService'];
const DESCRIBED = ['summary', 'description'];

const TEXTS: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  document: ['openapi'],
  pathItem: DESCRIBED,
  operation: ['operationId', 'x-event-name', 'x-sticky-key', 'x-version-header', ...DESCRIBED],
  parameter: ['name', 'x-event-field', 'description'],
  header: ['description'],
  requestBody: ['description'],
  response: ['description'],
  link: ['operationId', 'description'],
  example: DESCRIBED,
  securityScheme: ['name', 'description'],
  schema: ['title', 'description', 'format', 'pattern'],
};

/**
 * Converts numbers and booleans to text, in place, where the specification requires text in an
 * object of this kind.
 */
export function restoreTexts(kind: Kind, object: JsonObject): void {
  restore(object, TEXTS[kind] ?? []);
  if (kind === 'operation') restoreList(member(object, 'tags'));
  if (kind === 'schema') restoreList(member(object, 'required'));
  if (kind !== 'document') return;
  const info = member(object, 'info');
  if (isObject(info)) restore(info, INFO);
  const tags = member(object, 'tags');
  for (const tag of Array.isArray(tags) ? tags : []) if (isObject(tag)) restore(tag, ['name', 'description']);
}

function restore(object: JsonObject, names: readonly string[]): void {
  for (const name of names) {
    const text = textFor(member(object, name));
    if (text !== undefined) object[name] = text;
  }
}

function restoreList(list: Json | undefined): void {
  if (!Array.isArray(list)) return;
  list.forEach((item, index) => {
    list[index] = textFor(item) ?? item;
  });
}

/** Returns the text of a number or boolean, or undefined for any other value. */
function textFor(value: unknown): string | undefined {
  if (value instanceof SpelledNumber) return value.text;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
