/**
 * Checks the password hashes of htpasswd files. Only bcrypt is accepted; for other kinds, the
 * reason names the kind.
 */

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

/**
 * Allowed cost of a hash: the binary logarithm of its rounds. A check with cost 10 takes about 50
 * ms, and each further step doubles that.
 */
export const HASH_COST = { lowest: 4, highest: 14 } as const;

/** Other kinds of hashes that htpasswd files may contain, by their start. */
const OTHER_KINDS: readonly (readonly [start: RegExp, kind: string])[] = [
  [/^\$(?:apr1|1)\$/, 'an MD5 hash'],
  [/^\{S?SHA\}/i, 'a SHA-1 hash'],
  [/^\$5\$/, 'a SHA-256 crypt hash'],
  [/^\$6\$/, 'a SHA-512 crypt hash'],
  [/^\$(?:7|y|gy)\$/, 'a scrypt or yescrypt crypt hash'],
  [/^\$scrypt\$/, 'a scrypt hash'],
  [/^\$argon2/, 'an Argon2 hash'],
  [/^\$2x?\$/, 'a hash of an old, defective version of bcrypt'],
  [/^\$2/, 'an incomplete bcrypt hash'],
];

/**
 * Returns why a hash cannot be used, without quoting any part of it, or undefined if it can be
 * used.
 */
export function reasonAgainstHash(hash: string): string | undefined {
  const [, cost] = BCRYPT.exec(hash) ?? [];
  if (cost === undefined) {
    const [, kind = 'a plain text password or a DES crypt hash'] =
      OTHER_KINDS.find(([start]) => start.test(hash)) ?? [];
    return `must be a bcrypt hash, but is ${kind}`;
  }
  if (Number(cost) >= HASH_COST.lowest && Number(cost) <= HASH_COST.highest) return undefined;
  return `must have a cost from ${HASH_COST.lowest} to ${HASH_COST.highest}, but has ${Number(cost)}`;
}

/**
 * Returns why a text cannot be a user name, which HTTP sends before a colon (RFC 7617, 2), or
 * undefined if it can.
 */
export function reasonAgainstUserName(name: string): string | undefined {
  if (name === '') return 'must not be empty';
  if (name.includes(':')) return 'must not contain a colon';
  return hasControls(name) ? 'must not contain control characters' : undefined;
}

/**
 * Whether a text contains control characters, which are not allowed in user names and passwords
 * (RFC 7617, 2).
 */
export function hasControls(text: string): boolean {
  return /\p{Cc}/u.test(text);
}
