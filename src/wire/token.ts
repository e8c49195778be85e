/**
 * Tokens: the one frame our nodes put before the delimiter, by which a reply finds its request.
 *
 * A token is the letter T, a slot number and the slot's generation (unsigned 32-bit, little endian). The
 * generation starts at random, so a token of an earlier life of the node matches nothing.
 */

/** Bytes of a token frame. */
export const TOKEN_BYTES = 9;

const MARK = 0x54;

/** The token frame for a slot. */
export function encodeToken(id: number, generation: number): Buffer {
  const frame = Buffer.allocUnsafe(TOKEN_BYTES);
  frame[0] = MARK;
  frame.writeUInt32LE(id, 1);
  frame.writeUInt32LE(generation, 5);
  return frame;
}

/** Whether a frame has the form of a token. */
export function isToken(frame: Buffer): boolean {
  return frame.length === TOKEN_BYTES && frame[0] === MARK;
}

/** Slot of a token frame. */
export function tokenId(frame: Buffer): number {
  return frame.readUInt32LE(1);
}

/** Generation of a token frame. */
export function tokenGeneration(frame: Buffer): number {
  return frame.readUInt32LE(5);
}
