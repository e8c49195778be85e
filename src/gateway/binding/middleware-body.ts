/** Bodies that a middleware of the host has already parsed. */
import type { IncomingMessage } from 'node:http';
import { stringifyExact } from '../../core/json/exact-json.ts';
import { NO_BYTES } from '../../core/messages/message.ts';
import { FORM_TYPE, parseMediaType } from '../common/media-type.ts';

/** Encodes the body that a parser has left in `req.body`. Empty if there is none. */
export function bodyFromMiddleware(req: IncomingMessage): Buffer {
  const { body } = req as { body?: unknown };
  if (body === undefined || body === null) return NO_BYTES;
  if (Buffer.isBuffer(body)) return body;
  if (typeof body === 'string') return Buffer.from(body);
  const type = parseMediaType(req.headers['content-type'] ?? '')?.type;
  if (type !== FORM_TYPE) return Buffer.from(stringifyExact(body));
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(body)) {
    for (const text of [value].flat()) form.append(name, String(text));
  }
  return Buffer.from(form.toString());
}
