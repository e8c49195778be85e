/**
 * streams: what a caller and a handler share. The items of a reply that is received, and a body
 * that is sent.
 *
 * Sends the body of a request in chunks, within the window that the worker grants.
 */
import type { InFlight } from '../core/messages/message.ts';
import { MAX_CHUNK, StreamWindow } from '../core/messages/stream.ts';
import { encodePartData, encodePartEnd, encodePartHead } from '../wire/part-segments.ts';

/** Bytes of a body: text is sent as UTF-8. */
export type BodyChunk = Uint8Array | string;

/** A request body: bytes, a Node.js or web stream, or any iterable of bytes. */
export type BodySource = BodyChunk | Iterable<BodyChunk> | AsyncIterable<BodyChunk>;

/** A part of a multipart body. */
export interface BodyPart {
  /** Name of the form field. */
  readonly name: string;
  /** Name of the file. @defaultValue none: the part is a field */
  readonly filename?: string;
  /** Media type. @defaultValue `application/octet-stream` for a file, else `text/plain` */
  readonly contentType?: string;
  /** Its bytes. */
  readonly body: BodySource;
}

const NOTHING = Buffer.alloc(0);

/** The bytes of a source as buffers. */
async function* buffersOf(source: BodySource): AsyncGenerator<Buffer, void, undefined> {
  if (typeof source === 'string' || source instanceof Uint8Array) {
    yield toBuffer(source);
    return;
  }
  for await (const chunk of source) yield toBuffer(chunk);
}

function toBuffer(chunk: unknown): Buffer {
  if (typeof chunk === 'string') return Buffer.from(chunk);
  if (Buffer.isBuffer(chunk)) return chunk;
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError(`a body consists of strings and Uint8Arrays, got ${typeof chunk}`);
}

/** The segments of the parts of a multipart body. */
async function* segmentsOf(
  parts: Iterable<BodyPart> | AsyncIterable<BodyPart>,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const { name, filename, contentType, body } of parts) {
    const type = contentType ?? (filename === undefined ? 'text/plain' : 'application/octet-stream');
    yield encodePartHead({ name, ...(filename !== undefined && { filename }), contentType: type });
    for await (const bytes of buffersOf(body)) if (bytes.length > 0) yield encodePartData(bytes);
    yield encodePartEnd();
  }
}

/** The buffers to send for a body, or for the parts of a multipart body. */
export function bodyOf(
  body: BodySource | undefined,
  parts: Iterable<BodyPart> | AsyncIterable<BodyPart> | undefined,
): AsyncGenerator<Buffer, void, undefined> | undefined {
  if (parts !== undefined) return segmentsOf(parts);
  return body === undefined ? undefined : buffersOf(body);
}

export class BodySender {
  private readonly window = new StreamWindow(0);
  private stopped = false;
  private wake: (() => void) | undefined;

  /** @param source the buffers to send; it is closed when the sender stops. */
  constructor(private readonly source: AsyncGenerator<Buffer, void, undefined>) {}

  /** The worker takes `bytes` more. */
  grant(bytes: number): void {
    this.window.grant(bytes);
    this.wake?.();
  }

  /** Stops sending: the request is settled or cancelled. */
  stop(): void {
    this.stopped = true;
    this.wake?.();
  }

  /**
   * Sends the whole body.
   *
   * @throws whatever the source throws.
   */
  async send(inFlight: InFlight): Promise<void> {
    for await (const bytes of this.source) {
      for (let at = 0; at < bytes.length; at += MAX_CHUNK) {
        const piece = bytes.subarray(at, at + MAX_CHUNK);
        while (!this.window.open && !this.isStopped()) await this.granted();
        if (this.isStopped()) return;
        this.window.take(piece);
        inFlight.sendChunk(piece, false);
      }
      if (this.isStopped()) return;
    }
    if (!this.isStopped()) inFlight.sendChunk(NOTHING, true);
  }

  /** A method, because the compiler takes the member for unchanged across an `await`. */
  private isStopped(): boolean {
    return this.stopped;
  }

  private granted(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = () => {
        this.wake = undefined;
        resolve();
      };
    });
  }
}
