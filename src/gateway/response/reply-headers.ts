/** Reads the headers of a worker's reply and drops those that a worker must not set. */
import type { ReplyExtras, ReplyMessage } from '../../core/messages/message.ts';

/** Headers of the connection or of the gateway. A worker cannot set them. */
const RESERVED: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'ratelimit',
  'ratelimit-policy',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
// Control characters are not allowed in headers, and Node sends headers as Latin-1.
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The extras of a reply. */
export interface ReplyHeaders {
  /** Headers to send, by lower-case name. */
  readonly headers: Map<string, string | readonly string[]>;
  /** Names of headers that are not sent. */
  readonly dropped: readonly string[];
  readonly timing: ReplyExtras['timing'];
}

/**
 * Reads the extras of a reply.
 * @param requestIdHeader request id header of the gateway, in lower case.
 * @param allowed a reserved header that the worker may set in this reply.
 */
export function readExtras(
  reply: ReplyMessage,
  requestIdHeader: string,
  allowed?: string,
): ReplyHeaders | undefined {
  if (reply.extras.length === 0) return undefined;
  const extras = parseExtras(reply.extras);
  const headers = new Map<string, string | readonly string[]>();
  const dropped: string[] = [];
  for (const [given, value] of Object.entries(extras?.headers ?? {})) {
    const name = given.toLowerCase();
    const isReserved = RESERVED.has(name) && name !== allowed;
    const reserved = isReserved || name === requestIdHeader || name.startsWith('access-control-');
    if (!reserved && NAME.test(name) && isValue(value)) headers.set(name, value);
    else dropped.push(name.slice(0, 100));
  }
  return { headers, dropped, timing: extras?.timing };
}

function isValue(value: unknown): value is string | string[] {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string' && VALUE.test(item));
  return typeof value === 'string' && VALUE.test(value);
}

function parseExtras(bytes: Buffer): ReplyExtras | undefined {
  try {
    const extras = JSON.parse(bytes.toString()) as ReplyExtras | null;
    if (typeof extras !== 'object' || extras === null) return undefined;
    const { headers, timing } = extras;
    const object = (value: unknown): boolean => typeof value === 'object' && value !== null;
    return { headers: object(headers) ? headers : undefined, timing: object(timing) ? timing : undefined };
  } catch {
    return undefined;
  }
}
