/** Fields of packed records: unsigned little-endian numbers and printable ASCII. */

/** Replacement for invalid UTF-8 in decoded text. */
export const REPLACEMENT = '\ufffd';

export const SPACE = 0x20;
export const FIRST_GRAPHIC = 0x21;
const LAST_GRAPHIC = 0x7e;

/** Whether all bytes are ASCII characters from `first` to `~`. */
export function isPrintable(buffer: Buffer, start: number, end: number, first: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = byteAt(buffer, at);
    if (byte < first || byte > LAST_GRAPHIC) return false;
  }
  return true;
}

export function byteAt(buffer: Buffer, at: number): number {
  return buffer[at] as number;
}

export function uint16(buffer: Buffer, at: number): number {
  return byteAt(buffer, at) | (byteAt(buffer, at + 1) << 8);
}

export function uint32(buffer: Buffer, at: number): number {
  return (uint16(buffer, at) | (uint16(buffer, at + 2) << 16)) >>> 0;
}

export function putUint16(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value;
  buffer[at + 1] = value >>> 8;
}

export function putUint32(buffer: Buffer, at: number, value: number): void {
  putUint16(buffer, at, value);
  putUint16(buffer, at + 2, value >>> 16);
}
