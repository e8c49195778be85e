/** Finds the lines in a stream of bytes, such as NDJSON. */

const LF = 0x0a;

/** Splits a stream of lines. Characters may be split between chunks, since lines are decoded whole. */
export class LineSplitter {
  /** The beginning of a line whose end has not arrived. */
  private rest: Buffer[] = [];

  /** @param onLine receives each line that is not empty, without its end. */
  constructor(private readonly onLine: (line: Buffer) => void) {}

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      this.take(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.length) this.rest.push(chunk.subarray(start));
  }

  /** Takes the last line, whose end may be missing. */
  end(): void {
    this.take(Buffer.alloc(0));
  }

  private take(end: Buffer): void {
    const line = this.rest.length === 0 ? end : Buffer.concat([...this.rest, end]);
    this.rest = [];
    if (line.length > 0 && !(line.length === 1 && line[0] === 0x0d)) this.onLine(line);
  }
}
