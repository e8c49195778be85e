/** What a stream is read from: generators and other iterables, Node.js streams and web streams. */

const MARK = Symbol.for('zeromq-gateway.stream');

/**
 * A source of a stream: an async iterable such as the result of an async generator, an iterable, a
 * `Readable` of Node.js, or a web `ReadableStream`.
 *
 * @typeParam Item type of its items.
 */
export type StreamSource<Item = unknown> = AsyncIterable<Item> | Iterable<Item>;

/**
 * The data of a reply that is a stream. A middleware can iterate it to wrap it in another stream.
 *
 * @typeParam Item type of its items.
 */
export class StreamBody<Item = unknown> implements AsyncIterable<Item> {
  readonly [MARK] = true;

  constructor(
    /** Where the stream is read from. */
    readonly source: StreamSource<Item>,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, undefined> {
    yield* this.source;
  }
}

type Step = IteratorResult<unknown, unknown>;

/** Pulls the items of a source, one at a time. */
export interface Puller {
  /** Returns the next item. Not to be called again before it has settled. */
  next(): Promise<Step>;
  /** Ends the source early. Resolves when it has ended: the `finally` blocks of a generator have run. */
  stop(): Promise<unknown>;
}

/**
 * Returns the source of a stream among the data of a reply or the results of a handler; undefined
 * for any other value. An array is a JSON value.
 */
export function streamSource(value: unknown): StreamSource | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Symbol.asyncIterator in value) {
    return MARK in value ? (value as unknown as StreamBody).source : (value as StreamSource);
  }
  // The result of a generator function; other iterables are JSON values.
  return Symbol.iterator in value && 'next' in value && typeof value.next === 'function'
    ? (value as unknown as StreamSource)
    : undefined;
}

/** Whether a value can be read as a stream. */
export function isIterable(value: unknown): value is StreamSource {
  return (
    typeof value === 'object' &&
    value !== null &&
    (Symbol.asyncIterator in value || Symbol.iterator in value || isWebStream(value))
  );
}

/** Starts to read a source. */
export function pullerOf(source: StreamSource): Puller {
  // One value, not a sequence of bytes.
  if (source instanceof Uint8Array) return new SyncPuller([source][Symbol.iterator]());
  if (isWebStream(source)) return new WebPuller(source);
  if (isNodeStream(source)) return new NodePuller(source);
  return Symbol.asyncIterator in source
    ? new IteratorPuller(source[Symbol.asyncIterator]())
    : new SyncPuller(source[Symbol.iterator]());
}

class IteratorPuller implements Puller {
  constructor(private readonly iterator: AsyncIterator<unknown>) {}

  next(): Promise<Step> {
    return this.iterator.next();
  }

  async stop(): Promise<unknown> {
    return this.iterator.return?.();
  }
}

class SyncPuller implements Puller {
  constructor(private readonly iterator: Iterator<unknown>) {}

  /** As `for await` does, awaits the items. */
  async next(): Promise<Step> {
    const step: Step = this.iterator.next();
    return { done: step.done === true, value: await step.value };
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- an iterator that throws rejects the promise
  async stop(): Promise<unknown> {
    return this.iterator.return?.();
  }
}

interface NodeStream extends AsyncIterable<unknown> {
  destroy(): unknown;
}

/** A Node.js stream ends at once, even if it waits for data. */
class NodePuller extends IteratorPuller {
  constructor(private readonly stream: NodeStream) {
    super(stream[Symbol.asyncIterator]());
  }

  override stop(): Promise<unknown> {
    this.stream.destroy();
    return super.stop();
  }
}

interface WebReader {
  read(): Promise<{ done: boolean; value?: unknown }>;
  cancel(): Promise<void>;
}

interface WebStream extends AsyncIterable<unknown> {
  getReader(): WebReader;
}

class WebPuller implements Puller {
  private readonly reader: WebReader;

  constructor(stream: WebStream) {
    this.reader = stream.getReader();
  }

  next(): Promise<Step> {
    return this.reader.read() as Promise<Step>;
  }

  stop(): Promise<unknown> {
    return this.reader.cancel();
  }
}

function isNodeStream(source: object): source is NodeStream {
  return 'destroy' in source && typeof source.destroy === 'function' && 'pipe' in source;
}

function isWebStream(source: object): source is WebStream {
  return 'getReader' in source && typeof source.getReader === 'function';
}
