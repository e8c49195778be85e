/** Hashes of passwords as htpasswd files have them. bcrypt is accepted, every other kind is refused by name. */

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

/** Cost of a hash, the logarithm of its rounds. Checking one of cost 10 takes about 50 ms, each step doubles that. */
export const HASH_COST = { lowest: 4, highest: 14 } as const;

/** Other kinds of hashes that htpasswd files may have, by how they begin. */
const OTHER_KINDS: readonly (readonly [start: RegExp, kind: string])[] = [
  [/^\$(?:apr1|1)\$/, 'an MD5 hash'],
  [/^\{S?SHA\}/i, 'a SHA-1 hash'],
  [/^\$5\$/, 'a SHA-256 crypt hash'],
  [/^\$6\$/, 'a SHA-512 crypt hash'],
  [/^\$(?:7|y|gy)\$/, 'a scrypt or yescrypt crypt hash'],
  [/^\$scrypt\$/, 'a scrypt hash'],
  [/^\$argon2/, 'an Argon2 hash'],
  [/^\$2x?\$/, 'a hash of a faulty old version of bcrypt'],
  [/^\$2/, 'an incomplete bcrypt hash'],
];

/** Says why a hash cannot be used, without any part of it; undefined: it can. */
export function faultOfHash(hash: string): string | undefined {
  const [, cost] = BCRYPT.exec(hash) ?? [];
  if (cost === undefined) {
    const [, kind = 'a plain text password or a DES crypt hash'] =
      OTHER_KINDS.find(([start]) => start.test(hash)) ?? [];
    return `must be a bcrypt hash, but is ${kind}`;
  }
  if (Number(cost) >= HASH_COST.lowest && Number(cost) <= HASH_COST.highest) return undefined;
  return `must have a cost from ${HASH_COST.lowest} to ${HASH_COST.highest}, but has ${Number(cost)}`;
}

/** Why a text cannot be a user name, which HTTP sends before a colon (RFC 7617, 2); undefined: it can. */
export function faultOfUserName(name: string): string | undefined {
  if (name === '') return 'must not be empty';
  if (name.includes(':')) return 'must not have a colon';
  return hasControls(name) ? 'must not have control characters' : undefined;
}

/** Whether a text has control characters, which neither user names nor passwords may have (RFC 7617, 2). */
export function hasControls(text: string): boolean {
  return /\p{Cc}/u.test(text);
}
