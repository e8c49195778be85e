/** Members of OpenAPI 3.2 that documents of version 3.1 contain with the prefix `x-`. */
import type { OpenAPIV3_1 } from 'openapi-types';
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import { restoreLaterOperations } from '../../contract/other-methods.ts';
import { type Kind, transform } from '../../contract/shapes.ts';
import { ITEM_SCHEMA } from './streams.ts';

/** Kinds of objects with such members. */
type LaterKind = 'mediaType' | 'response' | 'example' | 'tag';

/** By kind: names in 3.2, each with the name in 3.1. */
const LATER_NAMES: Readonly<Record<LaterKind, Readonly<Record<string, string>>>> = {
  mediaType: { itemSchema: ITEM_SCHEMA },
  response: { summary: 'x-summary' },
  example: { serializedValue: 'x-serialized-value' },
  tag: { summary: 'x-summary', parent: 'x-parent', kind: 'x-kind' },
};

/** Gives the members of OpenAPI 3.2 in an object their names in 3.1. Changes the object. */
export function renameLater(kind: LaterKind, object: JsonObject): JsonObject {
  for (const [later, earlier] of Object.entries(LATER_NAMES[kind])) rename(object, later, earlier);
  return object;
}

/** Returns a served document as OpenAPI 3.2. The original is not changed. */
export function asVersion32(document: OpenAPIV3_1.Document): OpenAPIV3_1.Document {
  const leave = (kind: Kind, object: JsonObject): void => {
    if (Object.hasOwn(LATER_NAMES, kind)) renameBack(kind as LaterKind, object);
    else if (kind === 'pathItem') restoreLaterOperations(object);
  };
  const copied = transform('document', document as unknown as Json, '', { leave }) as JsonObject;
  const tags = member(copied, 'tags');
  if (Array.isArray(tags)) {
    copied['tags'] = tags.map((tag) => (isObject(tag) ? renameBack('tag', { ...tag }) : tag));
  }
  return { ...copied, openapi: '3.2.0' } as unknown as OpenAPIV3_1.Document;
}

function renameBack(kind: LaterKind, object: JsonObject): JsonObject {
  for (const [later, earlier] of Object.entries(LATER_NAMES[kind])) rename(object, earlier, later);
  return object;
}

function rename(object: JsonObject, from: string, to: string): void {
  const value = member(object, from);
  if (value === undefined) return;
  delete object[from];
  object[to] ??= value;
}
