/** Writes the upload of an event as an OpenAPI Request Body Object. */
import { ContractError } from './errors.ts';
import { isObject, type Json, type JsonObject, member } from './json.ts';
import type { Definitions, Field } from './schema-parts.ts';
import { isMultipart, listOf, type Upload, type UploadFile } from './uploads.ts';

/** Any file, as OpenAPI describes bytes in a form (3.1, 4.8.14). */
const FILE: JsonObject = { type: 'string', contentMediaType: 'application/octet-stream' };

/**
 * Returns the request body of an upload.
 *
 * @param form schema of the form fields; undefined if the body is not a form.
 * @throws {ContractError} when a file and a field have the same name, or a field cannot be in a form.
 */
export function uploadBody(upload: Upload, form: JsonObject | undefined): JsonObject {
  const { maxBytes, maxFiles, maxFields, required, description, contentTypes } = upload;
  const limits = { bytes: maxBytes, files: maxFiles, fields: maxFields };
  const media = form === undefined ? { schema: {} } : formOf(upload, form);
  return {
    ...(description === undefined ? {} : { description }),
    ...(required ? { required } : {}),
    content: Object.fromEntries(contentTypes.map((type): [string, Json] => [type, media])),
    'x-stream': true,
    ...(Object.values(limits).some((limit) => limit !== undefined)
      ? { 'x-upload-limits': limits as unknown as Json }
      : {}),
  };
}

/**
 * Checks the form fields of an upload: each is a text, and has a name that no file has.
 *
 * @throws {ContractError} when a field cannot be in the form.
 */
export function checkFormFields(
  upload: Upload,
  fields: ReadonlyMap<string, Field>,
  definitions: Definitions,
): void {
  const files = Object.keys(upload.files ?? {});
  for (const [name, { schemas }] of fields) {
    if (files.includes(name)) {
      throw new ContractError(`body: the file ${name} has the same name as a field of the data`);
    }
    if (!schemas.some((schema) => isNested(schema, definitions))) continue;
    throw new ContractError(
      `body: the field ${name} is an object, but the fields of a multipart upload are texts; ` +
        'use a field for each of its members, or put it into the query with in',
    );
  }
}

function isNested(schema: Json, definitions: Definitions): boolean {
  const followed = definitions.follow(schema);
  const types = [member(followed, 'type') ?? []].flat();
  if (types.includes('object')) return true;
  const items = member(followed, 'items');
  return types.includes('array') && isObject(items) && isNested(items, definitions);
}

function formOf(upload: Upload, form: JsonObject): JsonObject {
  const { files } = upload;
  const entries = Object.entries(files ?? {});
  const required = [
    ...((member(form, 'required') ?? []) as string[]),
    ...entries.filter(([, file]) => file.required === true).map(([name]) => name),
  ];
  const fields = member(form, 'properties');
  const properties = {
    ...(isObject(fields) ? fields : {}),
    ...Object.fromEntries(entries.map(([name, file]) => [name, fileOf(file)])),
  };
  const schema: JsonObject = {
    ...form,
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
    // Files of any name.
    ...(files === undefined ? { additionalProperties: FILE } : {}),
    ...(required.length > 0 ? { required } : {}),
  };
  const encoding = encodingOf(entries);
  return { schema, ...(Object.keys(encoding).length > 0 ? { encoding } : {}) };
}

function fileOf({ multiple = false, description }: UploadFile): JsonObject {
  const annotations: JsonObject = description === undefined ? {} : { description };
  return multiple ? { ...annotations, type: 'array', items: FILE } : { ...annotations, ...FILE };
}

function encodingOf(files: readonly (readonly [string, UploadFile])[]): JsonObject {
  return Object.fromEntries(
    files.flatMap(([name, { contentType }]): [string, Json][] =>
      contentType === undefined ? [] : [[name, { contentType: listOf(contentType).join(', ') }]],
    ),
  );
}

/** Whether the fields of the data without another place are form fields. */
export function takesFields(upload: Upload | undefined): boolean {
  return upload === undefined || isMultipart(upload);
}
