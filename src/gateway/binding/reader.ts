/** Reads request bodies into buffers, with limits on size, time, and the memory of all bodies. */
import type { IncomingMessage } from 'node:http';
import { type Linked, LinkedList } from '../../core/collections/linked-list.ts';
import { NO_BYTES } from '../../core/messages/message.ts';
import { httpProblem, outcomeProblem, type Problem } from '../common/problem.ts';

/** Called with the bytes of a body, or with the problem. */
export type BodyResult = (problem: Problem | undefined, bytes: Buffer) => void;

/** The limits of a body reader. */
export interface BodyBounds {
  /** Maximum size of one body, in bytes. */
  readonly body: number;
  /** Maximum size of all bodies that are being read, in bytes. */
  readonly buffered: number;
  /** Maximum time to read one body, in ms. */
  readonly timeout: number;
}

/** Reads request bodies. One timer checks the timeouts of all bodies that are being read. */
export class BodyReader {
  private readonly reading = new LinkedList<Reading>();
  private timer: NodeJS.Timeout | undefined;
  /** Requests whose body cannot be read to its end, with the problem. */
  private readonly broken = new WeakMap<IncomingMessage, Problem>();
  /** Requests whose body is read elsewhere, as a stream. */
  private readonly watched = new WeakMap<IncomingMessage, (problem: Problem) => void>();
  /** Size of all bodies that are being read, in bytes. */
  buffered = 0;

  /** @param bounds the limits; they may be replaced. */
  constructor(public bounds: BodyBounds) {}

  /**
   * Reads the body of a request.
   * @param done called once, possibly before this method returns; not called if the client
   *   disconnects.
   */
  read(request: IncomingMessage, done: BodyResult): void {
    const declared = request.headers['content-length'];
    const length = declared === undefined ? undefined : Number(declared);
    if (length === 0 || (length === undefined && request.headers['transfer-encoding'] === undefined)) {
      done(undefined, NO_BYTES);
      return;
    }
    if (length !== undefined && length > this.bounds.body) {
      done(tooLarge(this.bounds.body), NO_BYTES);
      return;
    }
    const problem = this.broken.get(request);
    if (problem !== undefined) {
      done(problem, NO_BYTES);
      return;
    }
    this.reading.push(new Reading(this, request, length, done));
    this.timer ??= setInterval(() => this.sweep(), Math.min(1000, this.bounds.timeout)).unref();
  }

  /**
   * Registers a body that is read elsewhere.
   * @param onFail called if the body cannot be read to its end, possibly before this returns.
   */
  watch(request: IncomingMessage, onFail: (problem: Problem) => void): void {
    this.watched.set(request, onFail);
    const problem = this.broken.get(request);
    if (problem !== undefined) onFail(problem);
  }

  /** Forgets a body that was registered. */
  unwatch(request: IncomingMessage): void {
    this.watched.delete(request);
  }

  /** Whether a body is being read elsewhere. */
  isWatched(request: IncomingMessage): boolean {
    return this.watched.has(request);
  }

  /** Makes the current or a later read of a body fail with a problem. */
  fail(request: IncomingMessage, problem: Problem): void {
    this.broken.set(request, problem);
    this.watched.get(request)?.(problem);
    for (const reading of this.reading) if (reading.request === request) reading.finish(problem);
  }

  /** Called when a read has ended. */
  release(reading: Reading): void {
    this.reading.remove(reading);
    this.buffered -= reading.received;
    if (this.reading.length > 0 || this.timer === undefined) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private sweep(): void {
    const oldest = performance.now() - this.bounds.timeout;
    for (const reading of this.reading) if (reading.started < oldest) reading.expire(this.bounds.timeout);
  }
}

/** One body that is being read. */
class Reading implements Linked<Reading> {
  before: Reading | undefined = undefined;
  after: Reading | undefined = undefined;
  readonly started = performance.now();
  /** Bytes received so far. */
  received = 0;
  private chunks: Buffer[] = [];
  private finished = false;

  constructor(
    private readonly reader: BodyReader,
    readonly request: IncomingMessage,
    private readonly length: number | undefined,
    private readonly done: BodyResult,
  ) {
    request.on('data', this.onData);
    request.on('end', this.onEnd);
    request.on('close', this.onClose);
    request.on('error', this.onClose);
  }

  expire(timeout: number): void {
    this.finish(
      httpProblem('REQUEST_TIMEOUT', `The body did not arrive within ${timeout} ms.`, [
        'Connection',
        'close',
      ]),
    );
  }

  private readonly onData = (chunk: Buffer): void => {
    this.received += chunk.length;
    this.reader.buffered += chunk.length;
    const { body, buffered } = this.reader.bounds;
    if (this.received > body) this.finish(tooLarge(body));
    else if (this.reader.buffered > buffered) {
      this.finish(outcomeProblem('BUSY', 'The bodies of all requests together exceed limits.buffered.'));
    } else this.chunks.push(chunk);
  };

  private readonly onEnd = (): void => {
    const [first] = this.chunks;
    const single = first !== undefined && this.chunks.length === 1;
    const bytes = single ? first : Buffer.concat(this.chunks, this.length ?? this.received);
    this.stop();
    this.done(undefined, bytes);
  };

  private readonly onClose = (): void => this.stop();

  finish(problem: Problem): void {
    if (this.finished) return;
    this.stop();
    this.request.resume();
    this.done(problem, NO_BYTES);
  }

  private stop(): void {
    if (this.finished) return;
    this.finished = true;
    this.chunks = [];
    this.request.off('data', this.onData);
    this.request.off('end', this.onEnd);
    this.request.off('close', this.onClose);
    this.reader.release(this);
  }
}

function tooLarge(limit: number): Problem {
  return httpProblem('PAYLOAD_TOO_LARGE', `The body is larger than ${limit} bytes.`);
}
