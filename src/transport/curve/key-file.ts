/**
 * Key files in the format of pyzmq and czmq (ZPL certificates). `zmq.auth.load_certificate` reads
 * the files written here, and the reverse. Only the owner may access a file with a secret key.
 */
import { closeSync, fchmodSync, fstatSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { toError, ZeroMQConfigError } from '../../core/messages/errors.ts';
import { type CurveKeyPair, checkPublicKey, isKey, keyPairOf } from './keys.ts';

/** Suffix of the public file, appended to the name of the secret file. */
export const PUBLIC_SUFFIX = '.pub';

/** File mode bits of group and others, which a secret file must not have. */
const NON_OWNER_BITS = 0o077;

/** Maximum size of a key file, in bytes. */
const MAX_FILE_SIZE = 64 * 1024;

/**
 * Reads a key pair from the file that holds its secret key.
 *
 * @param file path of the file
 * @returns the key pair
 * @throws {ZeroMQConfigError} when the file cannot be read, is accessible to others than its owner,
 *   or does not contain a key pair
 */
export function readKeyFile(file: string): CurveKeyPair {
  const { text, mode } = read(file);
  const secretKey = field(text, 'secret-key');
  if (secretKey === undefined) {
    throw new ZeroMQConfigError(
      `${file}: the file has no secret-key = "…"; create a key file with zeromq-gateway keygen`,
    );
  }
  if (process.platform !== 'win32' && (mode & NON_OWNER_BITS) !== 0) {
    const shown = (mode & 0o777).toString(8).padStart(4, '0');
    throw new ZeroMQConfigError(
      `${file}: users other than the owner can access the secret key (mode ${shown}); run chmod 600 ${file}`,
    );
  }
  return keyPairOf(file, secretKey, field(text, 'public-key'));
}

/**
 * Reads a public key from a file.
 *
 * @param file path of the file
 * @returns the public key, 40 characters of Z85
 * @throws {ZeroMQConfigError} when the file cannot be read or does not contain a public key
 */
export function readPublicKeyFile(file: string): string {
  const { text } = read(file);
  return checkPublicKey(file, field(text, 'public-key') ?? text.trim().slice(0, 80));
}

/**
 * Writes a key pair: `file` with both keys, accessible only to its owner, and `file.pub` with the
 * public key.
 *
 * @param file path of the secret file
 * @param keys the key pair
 * @throws {ZeroMQConfigError} when either file exists or cannot be written
 */
export function writeKeyFiles(file: string, keys: CurveKeyPair): void {
  const { publicKey, secretKey } = keys;
  const publicText = certificate('Public', [['public-key', publicKey]]);
  const secretText = certificate('Secret', [
    ['public-key', publicKey],
    ['secret-key', secretKey],
  ]);
  create(file, secretText, 0o600);
  try {
    create(file + PUBLIC_SUFFIX, publicText, 0o644);
  } catch (error) {
    unlinkSync(file);
    throw error;
  }
}

function read(file: string): { text: string; mode: number } {
  let handle: number | undefined;
  try {
    handle = openSync(file, 'r');
    const { mode, size } = fstatSync(handle);
    if (size > MAX_FILE_SIZE) throw new Error(`it is larger than ${MAX_FILE_SIZE} bytes`);
    return { text: readFileSync(handle, 'utf8'), mode };
  } catch (cause) {
    throw new ZeroMQConfigError(`${file}: cannot be read: ${toError(cause).message}`, { cause });
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/** Returns the key with that name; undefined if it is missing or invalid. */
function field(text: string, name: string): string | undefined {
  const [, value] = new RegExp(`^\\s*${name}\\s*=\\s*"?([^"\\s]+)"?\\s*$`, 'm').exec(text) ?? [];
  return isKey(value) ? value : undefined;
}

function certificate(kind: string, keys: readonly (readonly [name: string, key: string])[]): string {
  const lines = keys.map(([name, key]) => `    ${name} = "${key}"`);
  return `# ZeroMQ CURVE ${kind} Certificate, created by zeromq-gateway keygen\n\nmetadata\ncurve\n${lines.join('\n')}\n`;
}

function create(file: string, text: string, mode: number): void {
  let handle: number | undefined;
  try {
    handle = openSync(file, 'wx', mode);
    fchmodSync(handle, mode);
    writeFileSync(handle, text);
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    const reason = exists
      ? 'the file exists, and existing keys are never overwritten'
      : toError(cause).message;
    throw new ZeroMQConfigError(`${file}: cannot be written: ${reason}`, { cause });
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}
