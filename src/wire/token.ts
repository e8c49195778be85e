/**
 * Tokens: the frame that nodes of this framework put before the delimiter to match replies to
 * requests.
 *
 * A token is the letter T, a slot number and the slot's generation (unsigned 32-bit,
 * little-endian). Generations start at a random value, so a token from before a restart matches
 * nothing.
 */

/** Size of a token frame in bytes. */
export const TOKEN_BYTES = 9;

const MARK = 0x54;

/** Encodes the token of a slot. */
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

/** Slot number of a token. */
export function tokenId(frame: Buffer): number {
  return frame.readUInt32LE(1);
}

/** Generation of a token. */
export function tokenGeneration(frame: Buffer): number {
  return frame.readUInt32LE(5);
}
