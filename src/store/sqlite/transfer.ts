/** Bytes in messages between threads. */

/**
 * The bytes in memory of their own. A message would contain the whole memory that a Buffer shares
 * with others.
 */
export function exactBytes(bytes: Buffer): Uint8Array {
  return bytes.length === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

/** Makes Buffers of the bytes in a received value again, in place. */
export function ownBuffers(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const members = value as Record<string, unknown>;
  for (const name of Object.keys(members)) {
    const member = members[name];
    if (member instanceof Uint8Array) {
      members[name] = Buffer.from(member.buffer, member.byteOffset, member.byteLength);
    } else ownBuffers(member);
  }
}
