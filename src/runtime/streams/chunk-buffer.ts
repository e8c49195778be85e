/** Collects small items of a stream, which travel in one chunk. */

export class ChunkBuffer {
  private parts: Buffer[] = [];
  private text = '';
  private textBytes = 0;
  private partBytes = 0;

  /** Number of bytes. */
  get size(): number {
    return this.partBytes + this.textBytes;
  }

  /** @param size number of bytes of the item. */
  add(item: string | Buffer, size: number): void {
    if (typeof item === 'string') {
      this.text += item;
      this.textBytes += size;
      return;
    }
    this.endText();
    this.parts.push(item);
    this.partBytes += size;
  }

  /** Removes and returns all bytes. */
  take(): Buffer {
    this.endText();
    const { parts, partBytes } = this;
    this.parts = [];
    this.partBytes = 0;
    const [first] = parts;
    return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts, partBytes);
  }

  private endText(): void {
    if (this.text === '') return;
    this.parts.push(Buffer.from(this.text));
    this.partBytes += this.textBytes;
    this.text = '';
    this.textBytes = 0;
  }
}
