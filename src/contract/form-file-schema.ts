/** What the document says about a file of a form: its bytes. */
import Joi from 'joi';
import { isObject, type JsonObject } from './json.ts';

/** Name under which the schema of a file keeps its options in its metadata. */
export const META = 'zeromq-gateway.formFile';

/**
 * Returns the JSON Schema of a file, which describes its bytes as OpenAPI does (3.1, 4.8.14);
 * undefined if the metadata of a Joi schema are not those of a file.
 */
export function fileSchemaOf(metas: readonly unknown[] | undefined): JsonObject | undefined {
  const file = fileMetaOf(metas);
  if (file === undefined) return undefined;
  const { maxBytes } = file;
  return {
    type: 'string',
    contentMediaType: 'application/octet-stream',
    ...(typeof maxBytes === 'number' ? { maxLength: maxBytes } : {}),
  };
}

/** The media types of each file among the fields of a Joi object; empty if it may have any. */
export function filesIn(schema: unknown): Map<string, readonly string[]> {
  const files = new Map<string, readonly string[]>();
  if (!Joi.isSchema(schema)) return files;
  const keys: unknown = schema.describe()['keys'];
  for (const [name, described] of Object.entries(isObject(keys) ? keys : {})) {
    const { metas, items } = described as { metas?: unknown[]; items?: { metas?: unknown[] }[] };
    const file = fileMetaOf(metas) ?? fileMetaOf(items?.[0]?.metas);
    if (file !== undefined) files.set(name, (file['types'] ?? []) as string[]);
  }
  return files;
}

function fileMetaOf(metas: readonly unknown[] | undefined): JsonObject | undefined {
  for (const meta of metas ?? []) {
    const file = isObject(meta) ? meta[META] : undefined;
    if (isObject(file)) return file;
  }
  return undefined;
}
