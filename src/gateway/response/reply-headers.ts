/** Headers that a worker's reply brings along: which of them may go to the client. */
import type { ReplyExtras, ReplyMessage } from '../../core/messages/message.ts';

/** Headers that are the business of the connection, or of the gateway; a worker cannot set them. */
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
// Control characters would end the header, or are not allowed in one; others than Latin-1 cannot be sent.
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Headers of a reply by lower-case name, those that may be sent; and the times it brings. */
export interface ReplyHeaders {
  readonly headers: Map<string, string | readonly string[]>;
  /** Names of headers that were left out. */
  readonly dropped: readonly string[];
  readonly timing: ReplyExtras['timing'];
}

/**
 * Reads the extras of a reply.
 * @param requestIdHeader the gateway's own header for the id of a request, lower case.
 */
export function readExtras(reply: ReplyMessage, requestIdHeader: string): ReplyHeaders | undefined {
  if (reply.extras.length === 0) return undefined;
  const extras = parseExtras(reply.extras);
  const headers = new Map<string, string | readonly string[]>();
  const dropped: string[] = [];
  for (const [given, value] of Object.entries(extras?.headers ?? {})) {
    const name = given.toLowerCase();
    const reserved = RESERVED.has(name) || name === requestIdHeader || name.startsWith('access-control-');
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
