/** Adds the defaults of a schema for members that the caller left out. */
import type { OpenAPIV3_1 } from 'openapi-types';
import { isObject, type Json, member } from '../../contract/json.ts';
import { ExactNumber } from '../../core/json/exact-json.ts';
import type { Schema } from '../../openapi/model/operation.ts';
import { resolveReference, type Shape } from '../validation/shape.ts';

/** Whether a schema of a document contains a default. */
export function hasDefaults(schema: Schema, document: OpenAPIV3_1.Document): boolean {
  const root = document as unknown as Json;
  const seen = new Set<Json>();
  const pending: Json[] = [schema as Json];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next !== 'object' || next === null || next instanceof ExactNumber || seen.has(next)) continue;
    seen.add(next);
    if (Array.isArray(next)) {
      pending.push(...next);
      continue;
    }
    if (Object.hasOwn(next, 'default')) return true;
    const ref = member(next, '$ref');
    const target = typeof ref === 'string' ? resolveReference(ref, root) : undefined;
    if (target !== undefined) pending.push(target);
    pending.push(...Object.values(next));
  }
  return false;
}

/**
 * Adds the defaults of a request in place. Defaults of `readOnly` members are skipped, since these
 * belong to replies. Defaults under `anyOf` or `oneOf` are skipped, since they may not apply.
 * @returns whether a default was added.
 */
export function fillDefaults(value: Json, shape: Shape): boolean {
  if (typeof value !== 'object' || value === null || shape.ambiguous) return false;
  let filled = false;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) filled = fillDefaults(item, shape.item(index)) || filled;
    return filled;
  }
  if (!isObject(value)) return false;
  for (const name of shape.names) {
    const property = shape.property(name);
    const present = Object.hasOwn(value, name) ? value[name] : undefined;
    if (present !== undefined) filled = fillDefaults(present, property) || filled;
    else if (property.defaultValue !== undefined && !property.readOnly) {
      Object.defineProperty(value, name, {
        value: copyOf(property.defaultValue),
        configurable: true,
        enumerable: true,
        writable: true,
      });
      filled = true;
    }
  }
  return filled;
}

function copyOf(value: Json): Json {
  if (Array.isArray(value)) return value.map(copyOf);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, copyOf(item)]));
}
