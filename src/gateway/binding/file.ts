/** Files and other binary values. Event data is JSON, so that their bytes travel as base64. */
import type { JsonObject } from '../../contract/json.ts';
import { emptyObject } from './coerce.ts';

/** A file of a form. */
export class FormFile {
  constructor(
    readonly filename: string | undefined,
    readonly contentType: string,
    readonly content: Buffer,
  ) {}

  /** What the worker receives. */
  toEventData(): JsonObject {
    const { filename, contentType, content } = this;
    const file: JsonObject = emptyObject();
    if (filename !== undefined) file['filename'] = filename;
    file['contentType'] = contentType;
    file['size'] = content.length;
    file['content'] = content.toString('base64');
    return file;
  }
}

/**
 * The text of bytes for the validator: one character for each byte, so that `maxLength` counts
 * bytes (OpenAPI 3.1.1, Working with Binary Data).
 */
export function textOfBytes(bytes: Buffer): string {
  return bytes.toString('latin1');
}
