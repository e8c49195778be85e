/**
 * Annotations of a schema: title, description, examples, default.
 */
import { isObject, type JsonObject } from '../json.ts';
import { asJson, NOTHING } from './build.ts';
import type { Mode, Sketch } from './conversion.ts';
import { type Described, isDynamic } from './described.ts';

/**
 * Members of `meta()` that are copied into the schema, in addition to those that start with `x-`.
 */
const METAS = new Set([
  'deprecated',
  'readOnly',
  'writeOnly',
  'externalDocs',
  'xml',
  'discriminator',
  'title',
]);

/** Adds the annotations of the Joi description, and the rules that JSON Schema cannot express. */
export function annotate({ schema, notes }: Sketch, described: Described, mode: Mode): JsonObject {
  const { flags = {}, examples, metas, tags } = described;
  const annotations: JsonObject = {};
  if (flags.label !== undefined) annotations['title'] = flags.label;
  const sentences = [
    ...new Set([...(described.notes ?? []), ...unit(flags.unit), ...notes, ...externals(described)]),
  ];
  const description = [...(flags.description === undefined ? [] : [flags.description]), ...sentences].join(
    ' ',
  );
  if (description !== '' && !rejectsAll(schema)) annotations['description'] = description;
  const shown = (examples ?? []).map(asJson).filter((example) => example !== undefined);
  if (shown.length > 0) annotations['examples'] = shown;
  const standard =
    mode === 'output' || isDeep(flags.default) || isDynamic(flags.default)
      ? undefined
      : asJson(flags.default);
  if (standard !== undefined) annotations['default'] = standard;
  if (tags?.includes('deprecated') === true) annotations['deprecated'] = true;
  for (const meta of metas ?? []) {
    if (!isObject(meta)) continue;
    for (const [name, value] of Object.entries(meta)) {
      const json = METAS.has(name) || name.startsWith('x-') ? asJson(value) : undefined;
      if (json !== undefined) annotations[name] = json;
    }
  }
  return { ...annotations, ...schema };
}

function unit(name: string | undefined): string[] {
  return name === undefined ? [] : [`Unit: ${name}.`];
}

function externals({ externals: functions }: Described): string[] {
  return functions === undefined ? [] : ['Checked further by the worker.'];
}

/** `default()` of an object without a value: the defaults of its keys. */
function isDeep(value: unknown): boolean {
  return isObject(value) && value['special'] === 'deep';
}

function rejectsAll(schema: JsonObject): boolean {
  return JSON.stringify(schema) === JSON.stringify(NOTHING);
}
