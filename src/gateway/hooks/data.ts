/**
 * hooks: what hooks receive, and how they run. Nothing of this runs in a gateway without hooks.
 *
 * JSON data that hooks read and change: bytes until a hook reads it.
 */
import { jsonText } from '../../core/json/json-value.ts';
import { isJsonType } from '../common/media-type.ts';

/** Data of an event or reply. */
export class HookData {
  private given: unknown;
  private isGiven = false;
  /** The parsed data as JSON text, to find changes within it. */
  private before: string | undefined;

  constructor(readonly body: Buffer) {}

  /** The data: parsed if it is JSON, otherwise its bytes. */
  read(mediaType: string): unknown {
    if (this.isGiven || this.before !== undefined) return this.given;
    if (!isJson(mediaType)) return this.body;
    this.given = this.body.length === 0 ? undefined : (JSON.parse(this.body.toString()) as unknown);
    this.before = JSON.stringify(this.given) ?? '';
    return this.given;
  }

  write(value: unknown): void {
    this.given = value;
    this.isGiven = true;
  }

  /**
   * The bytes to send. Unchanged data keeps its bytes, and so the digits of its numbers.
   *
   * @throws {UnsendableValueError} when JSON cannot represent the changed data.
   */
  bytes(mediaType: string): Buffer {
    if (this.isGiven) return bytesOf(this.given, mediaType);
    if (this.before === undefined || (JSON.stringify(this.given) ?? '') === this.before) return this.body;
    return bytesOf(this.given, mediaType);
  }
}

/**
 * Encodes data for a body, as for the replies of handlers: bytes with a media type and text with
 * another one than JSON stay unchanged.
 *
 * @throws {UnsendableValueError} when JSON cannot represent the data.
 */
export function bytesOf(value: unknown, mediaType: string): Buffer {
  if (mediaType !== '' && value instanceof Uint8Array) return Buffer.from(value);
  return Buffer.from(typeof value === 'string' && !isJson(mediaType) ? value : jsonText(value));
}

function isJson(mediaType: string): boolean {
  return mediaType === '' || isJsonType(mediaType);
}
