/**
 * Users and their password hashes, in lines `user:hash` as `htpasswd -B` and `zeromq-gateway
 * passwd` print them.
 */
import type { Caller } from '../../core/messages/message.ts';
import { reasonAgainstHash, reasonAgainstUserName } from '../common/bcrypt-hash.ts';
import type { BasicUserSettings } from '../common/settings.ts';

/** A user with a password. */
export interface KnownUser {
  readonly hash: string;
  readonly caller: Caller;
}

/** Maximum number of problems that an error lists; it only counts the others. */
const MAX_PROBLEMS = 5;

/**
 * Reads the users of the settings and of a file.
 *
 * @param listed users of the settings. A user without a hash adds scopes to the user of that name
 *   in the file.
 * @param text content of the file. Text after a second colon is a comment, as in nginx and Apache.
 * @throws {Error} when a line is not valid; it lists such lines and never contains a hash or
 *   password.
 */
export function readUsers(listed: readonly BasicUserSettings[], text: string): Map<string, KnownUser> {
  const users = new Map<string, KnownUser>();
  const scopes = new Map(listed.map((user) => [user.id.normalize('NFC'), user.scopes]));
  const add = (id: string, hash: string): void => {
    users.set(id, { hash, caller: { id, scopes: scopes.get(id) } });
  };
  for (const { id, hash } of listed) if (hash !== undefined) add(id.normalize('NFC'), hash);
  const problems: string[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n|\r/);
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [name = '', hash] = line.trimEnd().split(':', 2);
    const id = name.normalize('NFC');
    const problem = problemOfLine(id, hash, users);
    if (problem !== undefined) problems.push(`line ${index + 1}: ${problem}`);
    else add(id, hash ?? '');
  }
  if (problems.length === 0) return users;
  const more = problems.length > MAX_PROBLEMS ? `; and ${problems.length - MAX_PROBLEMS} more` : '';
  throw new Error(problems.slice(0, MAX_PROBLEMS).join('; ') + more);
}

function problemOfLine(
  id: string,
  hash: string | undefined,
  users: ReadonlyMap<string, KnownUser>,
): string | undefined {
  // A line without a colon may be a password, so the error does not quote it.
  if (hash === undefined) return 'must be USER:HASH';
  const badName = reasonAgainstUserName(id);
  if (badName !== undefined) return `the user name ${badName}`;
  if (users.has(id)) return `the user ${id} is there already`;
  const badHash = reasonAgainstHash(hash);
  if (badHash === undefined) return undefined;
  return `the hash of ${id} ${badHash}; create the line with zeromq-gateway passwd ${id}, or with htpasswd -B`;
}
