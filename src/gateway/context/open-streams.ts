/** The streams of a gateway: their limits, their timeouts, and what they have moved. */
import { type Linked, LinkedList } from '../../core/collections/linked-list.ts';
import { WindowBudget } from '../../core/messages/window-growth.ts';

/** An exchange whose request or reply may be a stream. */
export interface StreamOwner {
  /** Called about once a second, to find what has taken too long. */
  check(now: number): void;
  /** Called when the gateway starts to drain. */
  drain(): void;
}

/** The streams of a gateway: those in flight, and what all of them have moved since it was created. */
export interface GatewayStreams {
  /** Requests in flight whose request or reply may be a stream. */
  readonly inFlight: number;
  /** Chunks of replies that arrived from workers. */
  readonly replyChunks: number;
  /** Bytes of replies that arrived from workers. */
  readonly replyBytes: number;
  /** Times that a reply waited for its client to read. */
  readonly replyStalls: number;
  /** Chunks of request bodies that were sent to workers. */
  readonly requestChunks: number;
  /** Bytes of request bodies that were sent to workers. */
  readonly requestBytes: number;
  /** Times that a request body waited for its worker to read. */
  readonly requestStalls: number;
  /** Times that a stream of events continued on another worker. */
  readonly resumed: number;
  /** Streams that have ended, by outcome code; `OK` for a success. */
  readonly ended: ReadonlyMap<string, number>;
}

/** What the streams of a gateway have moved, while it changes. */
export type StreamTotals = {
  -readonly [Name in Exclude<keyof GatewayStreams, 'inFlight'>]: GatewayStreams[Name];
};

/** The bounds of {@link OpenStreams}. */
export interface StreamBounds {
  readonly streams: number;
  readonly streamsPerCaller: number;
  /** Milliseconds between two checks of the timeouts. */
  readonly interval: number;
}

/** Maximum number of outcome codes that are counted one by one, since workers can invent them. */
const MAX_CODES = 100;
const OTHER = 'other';

/** A stream in flight. */
export class OpenStream implements Linked<OpenStream> {
  before: OpenStream | undefined = undefined;
  after: OpenStream | undefined = undefined;

  constructor(
    readonly owner: StreamOwner,
    readonly caller: string,
  ) {}
}

/** The streams in flight of one gateway. One timer checks the timeouts of all of them. */
export class OpenStreams {
  readonly totals: StreamTotals;
  readonly budget: WindowBudget = new WindowBudget();
  private readonly ended = new Map<string, number>();
  private readonly open = new LinkedList<OpenStream>();
  private readonly perCaller = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly bounds: StreamBounds) {
    this.totals = {
      replyChunks: 0,
      replyBytes: 0,
      replyStalls: 0,
      requestChunks: 0,
      requestBytes: 0,
      requestStalls: 0,
      resumed: 0,
      ended: this.ended,
    };
  }

  /** The number of streams in flight. */
  get length(): number {
    return this.open.length;
  }

  /**
   * Counts a stream.
   * @param caller identifies the caller for `limits.streamsPerCaller`.
   * @returns the stream, or the reason why it exceeds a limit.
   */
  add(owner: StreamOwner, caller: string): OpenStream | string {
    const { streams, streamsPerCaller, interval } = this.bounds;
    if (this.open.length >= streams) return `The gateway already has ${streams} streams in flight.`;
    const count = this.perCaller.get(caller) ?? 0;
    if (count >= streamsPerCaller) return `The caller already has ${count} streams in flight.`;
    this.perCaller.set(caller, count + 1);
    const stream = new OpenStream(owner, caller);
    this.open.push(stream);
    this.timer ??= setInterval(() => this.check(), interval).unref();
    return stream;
  }

  /** Removes a stream that has ended; does nothing if it was removed before. */
  remove(stream: OpenStream): void {
    if (!this.open.has(stream)) return;
    this.open.remove(stream);
    const count = this.perCaller.get(stream.caller) ?? 1;
    if (count > 1) this.perCaller.set(stream.caller, count - 1);
    else this.perCaller.delete(stream.caller);
    if (this.open.length > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Counts the outcome of a stream. */
  count(code: string): void {
    const given = code === '' ? 'OK' : code;
    const outcome = this.ended.has(given) || this.ended.size < MAX_CODES ? given : OTHER;
    this.ended.set(outcome, (this.ended.get(outcome) ?? 0) + 1);
  }

  /** Tells all streams that the gateway drains. */
  drain(): void {
    for (const { owner } of [...this.open]) owner.drain();
  }

  private check(): void {
    const now = performance.now();
    for (const { owner } of this.open) owner.check(now);
  }
}
