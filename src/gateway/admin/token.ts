/** Reads the admin token from a file, and hashes it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { toError, ZeroMQConfigError } from '../../core/messages/errors.ts';

/** Minimum length of a token, in characters. */
const MIN_LENGTH = 16;

/** Hashes a token. Hashes have equal length, so that they can be compared in constant time. */
export function hashOfToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/**
 * Reads a token from a file with one line.
 *
 * @throws {ZeroMQConfigError} when the file cannot be read or does not contain a valid token.
 */
export function readToken(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new ZeroMQConfigError(`cannot read the admin token ${file}: ${toError(cause).message}`, {
      cause,
    });
  }
  if (new RegExp(`^[\\x21-\\x7e]{${MIN_LENGTH},512}$`).test(text)) return text;
  throw new ZeroMQConfigError(
    `the admin token ${file} must be one line of ${MIN_LENGTH} to 512 printable ASCII characters without spaces`,
  );
}
