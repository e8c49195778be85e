/** The admin token: read from a file, kept as a hash. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { toError, ZeroMQConfigError } from '../../core/messages/errors.ts';

/** Shortest token that is taken, in characters. */
const MIN_LENGTH = 16;

/** Hashes are of one length, and so can be compared in constant time. */
export function hashOfToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/**
 * The token in a file: its one line.
 *
 * @throws ZeroMQConfigError when the file cannot be read, or what is in it is no token.
 */
export function readToken(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new ZeroMQConfigError(`the admin token ${file} cannot be read: ${toError(cause).message}`, {
      cause,
    });
  }
  if (new RegExp(`^[\\x21-\\x7e]{${MIN_LENGTH},512}$`).test(text)) return text;
  throw new ZeroMQConfigError(
    `the admin token ${file} must be one line of ${MIN_LENGTH} to 512 printable ASCII characters without spaces`,
  );
}
