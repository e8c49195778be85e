/** Encodes the items of a stream in the format of its media type. */
import { isAnyArrayBuffer } from 'node:util/types';
import { type StreamRule, sequentialFormat } from '../../contract/index.ts';
import { jsonText } from '../../core/json/json-value.ts';
import { UnsendableReplyError } from '../encode.ts';
import { EVENT_STREAM, encodeEvent, encodeEventData, isEvent } from './event.ts';

/** Encodes an item as text or bytes. */
export type Encode = (item: unknown) => string | Buffer;

/** Returns the encoder for a media type. */
export function encoderFor(contentType: string, check: StreamRule['check']): Encode {
  const encode = itemEncoder(sequentialFormat(contentType));
  if (encode === undefined) return (item) => bytesOf(item) ?? notBytes(item, contentType);
  return (item) => {
    const bytes = typeof item === 'string' ? undefined : bytesOf(item);
    if (bytes !== undefined) return bytes;
    if (check !== undefined) checkItem(item, check);
    return encode(item);
  };
}

function itemEncoder(format: ReturnType<typeof sequentialFormat>): ((item: unknown) => string) | undefined {
  switch (format) {
    case 'events':
      return encodeAsEvent;
    case 'lines':
      return (item) => `${jsonOf(item)}\n`;
    case 'sequence':
      return (item) => `\u001e${jsonOf(item)}\n`;
    case 'bytes':
    case undefined:
      return undefined;
  }
}

/** Returns the media type of a stream from its first item; undefined stands for an empty stream. */
export function contentTypeOf(first: unknown): string {
  if (isEvent(first)) return EVENT_STREAM;
  if (typeof first === 'string') return 'text/plain; charset=utf-8';
  return bytesOf(first) === undefined ? 'application/x-ndjson' : 'application/octet-stream';
}

function encodeAsEvent(item: unknown): string {
  return isEvent(item) ? encodeEvent(item) : encodeEventData(item);
}

function jsonOf(item: unknown): string {
  if (isEvent(item)) throw new UnsendableReplyError('an event() needs the content type text/event-stream');
  return jsonText(item);
}

function bytesOf(item: unknown): string | Buffer | undefined {
  if (typeof item === 'string' || Buffer.isBuffer(item)) return item;
  if (ArrayBuffer.isView(item)) return Buffer.from(item.buffer, item.byteOffset, item.byteLength);
  return isAnyArrayBuffer(item) ? Buffer.from(item) : undefined;
}

function notBytes(item: unknown, type: string): never {
  const kind = isEvent(item) ? 'event()' : item === null ? 'null' : typeof item;
  throw new UnsendableReplyError(`a stream of ${type} takes strings and bytes, got ${kind}`);
}

function checkItem(item: unknown, check: NonNullable<StreamRule['check']>): void {
  const data = isEvent(item) ? item.fields.data : item;
  // An event without data is a comment, or sets the id.
  if (data === undefined && isEvent(item)) return;
  const wrong = check(data);
  if (wrong !== undefined)
    throw new UnsendableReplyError(`an item of the stream breaks the contract: ${wrong}`);
}
