/**
 * Replies of a media type other than JSON from workers whose replies are JSON, such as classic
 * ones: a string is the text, or the bytes in base64.
 */
import { isTextType } from '../common/media-type.ts';

/**
 * Decodes a JSON reply into a body of a media type.
 * @returns undefined if the reply is not a string, or not valid base64 for a binary type.
 */
export function decodeReply(body: Buffer, contentType: string): Buffer | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch {
    return undefined;
  }
  if (typeof value !== 'string') return undefined;
  return isTextType(contentType) ? Buffer.from(value) : fromBase64(value);
}

/** Decodes base64 (RFC 4648, 4 and 5), with or without padding and line breaks. */
function fromBase64(given: string): Buffer | undefined {
  const text = given.replaceAll(/[\r\n]/g, '').replace(/={1,2}$/, '');
  const bytes = Buffer.from(text, 'base64');
  // `Buffer.from` skips characters that are not base64.
  return bytes.length === Math.floor((text.length * 3) / 4) && text.length % 4 !== 1 ? bytes : undefined;
}
