/** Reads a request body as it arrives: decodes it, and keeps to its limits. */
import type { IncomingMessage } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { bodyFromMiddleware } from '../binding/middleware-body.ts';
import type { BodyReader } from '../binding/reader.ts';
import { httpProblem, invalidRequest, type Problem } from '../common/problem.ts';

const DECODERS: Readonly<Record<string, () => Duplex>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  br: createBrotliDecompress,
  deflate: createInflate,
};

const ACCEPTED = ['Accept-Encoding', 'gzip, br, deflate'];

/** What an upload reader reports to. */
export interface UploadTarget {
  /** Bytes of the body. Returns false if no more may follow until {@link UploadReader.resume}. */
  onData(bytes: Buffer): boolean;
  /** The body is complete. */
  onEnd(): void;
  /** The body cannot be read. */
  onProblem(problem: Problem): void;
}

/** Why the body of a request is rejected before it is read; undefined if it is not. */
export function uploadProblem({ headers }: IncomingMessage, limit: number): Problem | undefined {
  const coding = codingOf(headers['content-encoding']);
  if (coding !== undefined && !Object.hasOwn(DECODERS, coding)) {
    const detail = `The content coding ${JSON.stringify(coding)} is not supported.`;
    return httpProblem('UNSUPPORTED_MEDIA_TYPE', detail, ACCEPTED);
  }
  return Number(headers['content-length'] ?? 0) > limit ? tooLarge(limit) : undefined;
}

/** The problem of a body that exceeds its limit. */
export function tooLarge(limit: number): Problem {
  return httpProblem('PAYLOAD_TOO_LARGE', `The body is larger than ${limit} bytes.`);
}

/** Reads one request body. */
export class UploadReader {
  /** Bytes that have arrived, before they are decoded. */
  received = 0;
  /** Whether the whole body was read. */
  ended = false;
  private decoded = 0;
  private stopped = false;
  /** Whether no bytes may arrive. */
  private paused = true;
  /** When the last bytes arrived or were asked for, by `performance.now()`. */
  private activeAt = performance.now();
  private readonly source: Readable;
  private readonly coding: string | undefined;

  /** @param limit maximum size in bytes, before and after decoding. */
  constructor(
    private readonly req: IncomingMessage,
    private readonly bodies: BodyReader,
    private readonly limit: number,
    private readonly target: UploadTarget,
  ) {
    this.coding = codingOf(req.headers['content-encoding']);
    const decoder = this.coding === undefined ? undefined : DECODERS[this.coding]?.();
    this.source = decoder ?? req;
    if (decoder !== undefined) decoder.on('error', () => this.fail(this.notDecodable()));
  }

  /** Starts to read. */
  start(): void {
    const { req, source } = this;
    if (req.readableEnded) {
      this.takeParsed(bodyFromMiddleware(req));
      return;
    }
    this.paused = false;
    this.activeAt = performance.now();
    this.bodies.watch(req, (problem) => this.fail(problem));
    req.on('data', this.onArrival);
    // The response notices that the client has disconnected.
    req.on('error', () => undefined);
    source.on('data', this.onData);
    source.on('end', this.onEnd);
    if (source !== req) req.pipe(source as Duplex);
  }

  /** Reads on. */
  resume(): void {
    if (!this.paused || this.stopped) return;
    this.paused = false;
    this.activeAt = performance.now();
    this.source.resume();
  }

  /** Stops to read. The rest of the body is discarded. */
  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    const { req, source } = this;
    this.bodies.unwatch(req);
    req.off('data', this.onArrival);
    source.off('data', this.onData);
    source.off('end', this.onEnd);
    if (source !== req) {
      req.unpipe(source as Duplex);
      source.destroy();
    }
    req.resume();
  }

  /** Fails the upload if the client has sent nothing for too long. */
  check(now: number, silence: number): void {
    if (this.paused || this.stopped || this.ended || now - this.activeAt <= silence) return;
    this.fail(httpProblem('REQUEST_TIMEOUT', `The client sent nothing of the body for ${silence} ms.`));
  }

  private readonly onArrival = (bytes: Buffer): void => {
    this.activeAt = performance.now();
    this.received += bytes.length;
    if (this.received > this.limit) this.fail(tooLarge(this.limit));
  };

  private readonly onData = (bytes: Buffer): void => {
    this.decoded += bytes.length;
    if (this.stopped) return;
    if (this.decoded > this.limit) this.fail(tooLarge(this.limit));
    else if (!this.target.onData(bytes)) {
      this.paused = true;
      this.source.pause();
    }
  };

  private readonly onEnd = (): void => {
    this.ended = true;
    this.bodies.unwatch(this.req);
    this.target.onEnd();
  };

  private fail(problem: Problem): void {
    if (this.stopped || this.ended) return;
    this.stop();
    this.target.onProblem(problem);
  }

  private takeParsed(bytes: Buffer): void {
    this.ended = true;
    this.received = bytes.length;
    if (bytes.length > 0) this.target.onData(bytes);
    this.target.onEnd();
  }

  private notDecodable(): Problem {
    const detail = `is not valid ${this.coding}, which Content-Encoding names`;
    return invalidRequest([{ pointer: '/body', detail }]);
  }
}

function codingOf(header: string | undefined): string | undefined {
  const name = (header ?? '').trim().toLowerCase();
  return name === '' || name === 'identity' ? undefined : name;
}
