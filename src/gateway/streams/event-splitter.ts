/**
 * Finds the events in the bytes of server-sent events (HTML Standard, 9.2.6: Interpreting
 * an event stream). Its state carries over the boundaries of chunks.
 */

const LF = 0x0a;
const CR = 0x0d;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** An event that the client of the stream would see. */
export interface SplitEvent {
  readonly event: string;
  readonly data: string;
}

/** Splits a stream of server-sent events. */
export class EventSplitter {
  /**
   * The id after which another worker can continue the stream; empty if it must start at the
   * beginning, undefined if the last event had no id of its own.
   */
  resumeId: string | undefined;
  /** The id of the event that is not complete. */
  private id: string | undefined = undefined;
  private event = '';
  private hasData = false;
  private data: string[] = [];
  /** The beginning of a line whose end has not arrived. */
  private rest: Buffer[] = [];
  private afterCr = false;
  private isFirstLine = true;

  /**
   * @param firstId id after which the stream starts; empty for the beginning.
   * @param onEvent receives each complete event with data.
   */
  constructor(
    firstId = '',
    private readonly onEvent?: (event: SplitEvent) => void,
  ) {
    this.resumeId = firstId;
  }

  /**
   * Reads a chunk.
   * @returns the length of its part up to the end of its last complete event; 0 if it completes none.
   */
  push(chunk: Buffer): number {
    let complete = 0;
    let start = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (byte !== LF && byte !== CR) {
        this.afterCr = false;
        continue;
      }
      if (byte === LF && this.afterCr) {
        // The second half of a line end whose first half has ended the line.
        this.afterCr = false;
        if (complete === start) complete = at + 1;
        start = at + 1;
        continue;
      }
      this.afterCr = byte === CR;
      if (this.takeLine(chunk.subarray(start, at))) complete = at + 1;
      start = at + 1;
    }
    if (start < chunk.length) this.rest.push(chunk.subarray(start));
    return complete;
  }

  /** Bytes of the line whose end has not arrived. */
  get restLength(): number {
    return this.rest.reduce((sum, { length }) => sum + length, 0);
  }

  /** Takes a complete line. Returns whether it ends an event. */
  private takeLine(end: Buffer): boolean {
    let line = end;
    if (this.rest.length > 0) {
      line = Buffer.concat([...this.rest, end]);
      this.rest = [];
    }
    if (this.isFirstLine) {
      this.isFirstLine = false;
      if (line.subarray(0, 3).equals(BOM)) line = line.subarray(3);
    }
    if (line.length > 0) {
      this.takeField(line.toString());
      return false;
    }
    const { event, data, id, hasData } = this;
    if (id !== undefined) this.resumeId = id === '' ? undefined : id;
    else if (hasData) this.resumeId = undefined;
    this.id = undefined;
    this.event = '';
    this.hasData = false;
    this.data = [];
    if (hasData) this.onEvent?.({ event, data: data.join('\n') });
    return true;
  }

  private takeField(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon === -1 ? line : line.slice(0, colon);
    const given = colon === -1 ? '' : line.slice(colon + 1);
    const value = given.startsWith(' ') ? given.slice(1) : given;
    if (name === 'data') {
      this.hasData = true;
      if (this.onEvent !== undefined) this.data.push(value);
    } else if (name === 'id') {
      if (!value.includes('\0')) this.id = value;
    } else if (name === 'event') this.event = value;
  }
}

/**
 * Follows whether a stream of server-sent events is between two events or two lines, without
 * reading the events.
 */
export class EventBoundary {
  private tail = '\n\n';

  /** Whether all events have ended, so that another one can follow. */
  get isBetweenEvents(): boolean {
    return this.tail.endsWith('\n\n') || this.tail.endsWith('\n\r\n');
  }

  /** Whether the last line has ended, so that a comment can follow. */
  get isBetweenLines(): boolean {
    return this.tail.endsWith('\n');
  }

  push(chunk: Buffer): void {
    this.tail = (this.tail + chunk.toString('latin1', Math.max(0, chunk.length - 3))).slice(-3);
  }
}
