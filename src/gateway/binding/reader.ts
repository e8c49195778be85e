/** Reading the bytes of a request body into one buffer, bounded in size, in time, and in what all bodies hold. */
import type { IncomingMessage } from 'node:http';
import { type Linked, LinkedList } from '../../core/collections/linked-list.ts';
import { NO_BYTES } from '../../core/messages/message.ts';
import { httpProblem, outcomeProblem, type Problem } from '../common/problem.ts';

/** What was read, or why not. */
export type BodyResult = (problem: Problem | undefined, bytes: Buffer) => void;

/** Bounds of a body reader. */
export interface BodyBounds {
  /** Bytes of one body. */
  readonly body: number;
  /** Bytes of all bodies that are being read. */
  readonly buffered: number;
  /** Time for one body, in ms. */
  readonly timeout: number;
}

/** Reads bodies. One timer looks after all that are under way, and rests when there is none. */
export class BodyReader {
  private readonly reading = new LinkedList<Reading>();
  private timer: NodeJS.Timeout | undefined;
  /** Bodies that will not come to their end, and why. */
  private readonly broken = new WeakMap<IncomingMessage, Problem>();
  /** Bytes that all readings hold. */
  buffered = 0;

  constructor(readonly bounds: BodyBounds) {}

  /**
   * Reads the body of a request. `done` is called once, possibly before this returns, and not at all when the client
   * goes away meanwhile.
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

  /** The rest of a body cannot be read: whoever reads it, now or later, gets the problem. */
  fail(request: IncomingMessage, problem: Problem): void {
    this.broken.set(request, problem);
    for (const reading of this.reading) if (reading.request === request) reading.finish(problem);
  }

  /** A reading is over. */
  release(reading: Reading): void {
    this.reading.remove(reading);
    this.buffered -= reading.held;
    if (this.reading.length > 0 || this.timer === undefined) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private sweep(): void {
    const oldest = performance.now() - this.bounds.timeout;
    for (const reading of this.reading) if (reading.started < oldest) reading.expire(this.bounds.timeout);
  }
}

/** One body under way. */
class Reading implements Linked<Reading> {
  before: Reading | undefined = undefined;
  after: Reading | undefined = undefined;
  readonly started = performance.now();
  /** Bytes held so far. */
  held = 0;
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
    this.held += chunk.length;
    this.reader.buffered += chunk.length;
    const { body, buffered } = this.reader.bounds;
    if (this.held > body) this.finish(tooLarge(body));
    else if (this.reader.buffered > buffered) {
      this.finish(outcomeProblem('BUSY', 'The bodies of other requests fill the memory for them.'));
    } else this.chunks.push(chunk);
  };

  private readonly onEnd = (): void => {
    const [first] = this.chunks;
    const single = first !== undefined && this.chunks.length === 1;
    const bytes = single ? first : Buffer.concat(this.chunks, this.length ?? this.held);
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
