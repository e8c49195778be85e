/** Hashes of short strings, for distribution only: they do not resist deliberate collisions. */

/** FNV-1a over UTF-16 units, as a signed 32-bit integer. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash;
}

/** Spreads the bits of a 32-bit integer (the finalizer of MurmurHash3); 0 to 2^32 - 1. */
export function mix(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
