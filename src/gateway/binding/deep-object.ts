/** The style `deepObject`: `filter[status]=open&filter[owner][name]=eva`. */
import { escapeToken, type Json } from '../../contract/json.ts';
import type { RequestIssue } from '../common/problem.ts';
import type { Shape } from '../validation/shape.ts';
import { coerceText, emptyObject, INVALID, type Invalid } from './coerce.ts';

/** Maximum levels of brackets. */
const MAX_LEVELS = 8;

/** A value with the names in the brackets before it. */
export interface DeepEntry {
  readonly keys: readonly string[];
  readonly text: string;
}

const DEEP_NAME = /^([^[\]]+)((?:\[[^[\]]*\])+)$/;

/** Splits `filter[owner][name]` into `filter` and its keys; undefined if it has no brackets. */
export function deepName(name: string): { base: string; keys: string[] } | undefined {
  if (!name.endsWith(']')) return undefined;
  const match = DEEP_NAME.exec(name);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { base: match[1], keys: match[2].slice(1, -1).split('][') };
}

/** Converts the entries of one parameter. */
export function coerceDeep(
  entries: readonly DeepEntry[],
  shape: Shape,
  pointer: string,
  issues: RequestIssue[],
  level = 0,
): Json | Invalid {
  const leaf = entries.length === 1 ? entries[0] : undefined;
  if (leaf !== undefined && leaf.keys.length === level && !shape.acceptsArray) {
    return coerceText(leaf.text, shape, pointer, issues);
  }
  if (shape.acceptsArray && entries.every(({ keys }) => isItem(keys, level))) {
    return coerceList(entries, shape, pointer, issues);
  }
  if (level >= MAX_LEVELS) return reject(pointer, `has more than ${MAX_LEVELS} levels`, issues);
  const values = entries.filter(({ keys }) => keys.length === level).length;
  if (values === entries.length && values > 1) return reject(pointer, 'is given more than once', issues);
  if (values > 0 && shape.types.size > 0)
    return reject(pointer, 'must be an object, written name[key]=value', issues);
  if (values > 0) return reject(pointer, 'is given both as a value and as an object', issues);
  return coerceRecord(entries, shape, pointer, issues, level);
}

/** Whether a value is written as an item of an array: `tags=a`, `tags[]=a` or `tags[0]=a`. */
function isItem(keys: readonly string[], level: number): boolean {
  return keys.length === level || (keys.length === level + 1 && /^\d*$/.test(keys[level] ?? ''));
}

function reject(pointer: string, detail: string, issues: RequestIssue[]): Invalid {
  issues.push({ pointer, detail });
  return INVALID;
}

function coerceList(
  entries: readonly DeepEntry[],
  shape: Shape,
  pointer: string,
  issues: RequestIssue[],
): Json | Invalid {
  const before = issues.length;
  const list: Json[] = [];
  for (const [index, { text }] of entries.entries()) {
    const value = coerceText(text, shape.item(index), `${pointer}/${index}`, issues);
    if (value !== INVALID) list.push(value);
  }
  return issues.length === before ? list : INVALID;
}

function coerceRecord(
  entries: readonly DeepEntry[],
  shape: Shape,
  pointer: string,
  issues: RequestIssue[],
  level: number,
): Json | Invalid {
  const groups = new Map<string, DeepEntry[]>();
  for (const entry of entries) {
    const key = entry.keys[level] ?? '';
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [entry]);
    else group.push(entry);
  }
  const before = issues.length;
  const object = emptyObject();
  for (const [key, group] of groups) {
    const location = `${pointer}/${escapeToken(key)}`;
    const value = coerceDeep(group, shape.property(key), location, issues, level + 1);
    if (value !== INVALID) object[key] = value;
  }
  return issues.length === before ? object : INVALID;
}
