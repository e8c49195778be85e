/**
 * Names of workers for people: `shop/shop.ts@host-1#3fa2c1d0` for contract, file, host and a short id.
 * Identities remain the keys; names appear in lists, logs and the dashboard.
 */
import { hostname } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a worker announces about the place it runs in. */
export interface WorkerPlace {
  /** Base name of the file that defines it. */
  readonly file?: string;
  /** Name of its host. */
  readonly host?: string;
}

/** The parts of a worker's name. */
export interface WorkerNameParts extends WorkerPlace {
  /** Name of its contract. */
  readonly contract?: string | undefined;
  /** Whether it speaks only the original protocol. */
  readonly classic?: boolean;
}

/** Maximum length of a file or host in a name, in characters. */
export const MAX_PLACE = 255;

/** Characters at the end of an identity that the name shows. */
const SHORT_ID = 8;

/** Characters that a terminal would interpret or not show: controls, formats, unassigned, lone surrogates. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}\\]/gu;

/** Escapes characters that cannot be printed: `\x00`, `\u202e`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (found) => {
    if (found === '\\') return '\\\\';
    const code = found.codePointAt(0) ?? 0;
    if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
    return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/**
 * The end of an identity, which differs between workers. A routing id that libzmq generated is a
 * zero byte and four random ones: those are shown in hex.
 */
export function shortId(identity: string): string {
  if (identity.startsWith('\0')) return Buffer.from(identity, 'latin1').toString('hex').slice(-SHORT_ID);
  const characters = [...identity];
  return printable(
    /^.*_[\da-f]{16}$/is.test(identity) || characters.length > 2 * SHORT_ID
      ? characters.slice(-SHORT_ID).join('')
      : identity,
  );
}

/** The name of a worker. */
export function workerName(identity: string, { contract, file, host, classic }: WorkerNameParts): string {
  const what = [contract, file].filter((part) => part !== undefined && part !== '').join('/');
  const where = host === undefined || host === '' ? '' : `@${host}`;
  return `${printable((what || (classic === true ? 'classic' : 'worker')) + where)}#${shortId(identity)}`;
}

/**
 * The place of a worker in this process.
 *
 * @param module path or file URL of the file that defines it. Defaults to the script of the process.
 */
export function placeOf(module = process.argv[1]): WorkerPlace {
  const found = module?.startsWith('file:') === true ? fileURLToPath(module) : (module ?? '');
  const file = path.basename(found);
  return { ...(isPlace(file) && { file }), ...(isPlace(hostname()) && { host: hostname() }) };
}

/** Whether a value can be the file or host of a worker. */
export function isPlace(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_PLACE;
}
