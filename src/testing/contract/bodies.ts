/**
 * contract: checks a running service against its document. Plans cases, sends them, and judges the
 * replies.
 *
 * Writes request bodies in their media types.
 */
import type { BodyBinding } from '../../openapi/index.ts';
import { queryPairs, type Value } from './serialise.ts';

/** A body to send. */
export interface Body {
  readonly contentType: string;
  readonly text: string;
}

const BOUNDARY = 'contract-test-boundary';

/** Whether a media type is JSON. */
export function isJson(mediaType: string): boolean {
  return /^application\/([^;]+\+)?json\s*(;|$)/i.test(mediaType);
}

/** Writes a value as a body; undefined if the media type cannot hold it. */
export function writeBody({ mediaType, encoding }: BodyBinding, value: Value): Body | undefined {
  const type = mediaType.includes('*') ? 'application/json' : mediaType;
  if (isJson(type)) return { contentType: type, text: JSON.stringify(value) };
  if (type.startsWith('application/x-www-form-urlencoded')) return form(value, encoding);
  if (type.startsWith('multipart/form-data')) return multipart(value);
  if (/^(text\/|application\/octet-stream)/.test(type) && typeof value === 'string' && value !== '') {
    return { contentType: type, text: value };
  }
  return undefined;
}

function form(value: Value, encoding: BodyBinding['encoding']): Body | undefined {
  const members = membersOf(value);
  if (members === undefined) return undefined;
  const pairs: string[] = [];
  for (const [name, item] of members) {
    const declared = Object.hasOwn(encoding, name) ? encoding[name] : undefined;
    const style = declared?.style ?? 'form';
    const explode = declared?.explode ?? true;
    const isPlain = typeof item !== 'object' || Array.isArray(item) || declared?.style !== undefined;
    const contentType = isPlain ? undefined : 'application/json';
    const written = queryPairs({ name, style, explode, contentType }, item);
    if (written === undefined) return undefined;
    pairs.push(...written);
  }
  return { contentType: 'application/x-www-form-urlencoded', text: pairs.join('&') };
}

/** Texts, numbers and lists of them are plain parts, objects are JSON (OpenAPI 3.1.1, 4.8.15.1.1). */
function multipart(value: Value): Body | undefined {
  const members = membersOf(value);
  if (members === undefined) return undefined;
  const parts: string[] = [];
  for (const [name, item] of members) {
    if (/["\r\n]/.test(name)) return undefined;
    for (const one of Array.isArray(item) ? (item as readonly Value[]) : [item]) {
      const isObject = typeof one === 'object';
      const type = isObject ? '\r\nContent-Type: application/json' : '';
      const text = isObject ? JSON.stringify(one) : String(one);
      parts.push(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${type}\r\n\r\n${text}\r\n`);
    }
  }
  const contentType = `multipart/form-data; boundary=${BOUNDARY}`;
  return { contentType, text: `${parts.join('')}--${BOUNDARY}--\r\n` };
}

function membersOf(value: Value): [string, Value][] | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject) return undefined;
  return Object.entries(value as { readonly [name: string]: Value });
}
