/** The parts of a multipart upload (RFC 7578), as a handler reads them. */
import { ReplyError } from '../../core/messages/errors.ts';
import { type PartHead, type PartSegment, PartSegmentReader } from '../../wire/part-segments.ts';

/** A part of an upload in the format `multipart/form-data`: a file, or a field after the first file. */
export interface UploadPart {
  /** Name of the form field. */
  readonly name: string;
  /** Name of the file; undefined for a field. Never use it as a path unchecked. */
  readonly filename: string | undefined;
  /** Media type that the client stated; `text/plain` for a field without one. */
  readonly contentType: string;
  /** Content of the part. It can be read once, until the next part is taken. */
  readonly body: AsyncIterable<Buffer>;
}

/** The parts of a request without an upload. */
export const NO_PARTS: AsyncIterable<UploadPart> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
};

/**
 * Reads the parts of an upload.
 *
 * @throws {ReplyError} 415 when the upload has another format.
 */
export function partsOf(
  body: AsyncIterable<Buffer>,
  contentType: string | undefined,
): AsyncIterable<UploadPart> {
  if (contentType?.toLowerCase().startsWith('multipart/form-data') === true) return readParts(body);
  throw new ReplyError(415, 'NOT_MULTIPART', 'the request body must be multipart/form-data');
}

async function* readParts(body: AsyncIterable<Buffer>): AsyncGenerator<UploadPart, undefined> {
  const segments = segmentsOf(body);
  try {
    for (let next = await segments.next(); next.done !== true; next = await segments.next()) {
      if (next.value.kind !== 'head') continue;
      const part = new Part(next.value.head, segments);
      yield part;
      await part.skip();
    }
  } finally {
    await segments.return(undefined);
  }
}

type Segments = AsyncGenerator<PartSegment, undefined>;

async function* segmentsOf(body: AsyncIterable<Buffer>): Segments {
  const reader = new PartSegmentReader();
  for await (const chunk of body) yield* reader.read(chunk);
  if (!reader.complete) throw new Error('the body ended within a part');
}

class Part implements UploadPart {
  readonly name: string;
  readonly filename: string | undefined;
  readonly contentType: string;
  readonly body: AsyncIterable<Buffer>;
  private isRead = false;
  private isOver = false;
  private isSkipped = false;

  constructor(
    { name, filename, contentType }: PartHead,
    private readonly segments: Segments,
  ) {
    this.name = name;
    this.filename = filename;
    this.contentType = contentType;
    this.body = { [Symbol.asyncIterator]: () => this.read() };
  }

  /** Reads on to the end of the part. */
  async skip(): Promise<void> {
    this.isSkipped = !this.isOver;
    while ((await this.next()) !== undefined);
  }

  private async *read(): AsyncGenerator<Buffer, undefined> {
    if (this.isRead) throw new Error(`the part ${JSON.stringify(this.name)} was already read`);
    this.isRead = true;
    while (!this.isSkipped) {
      const bytes = await this.next();
      if (bytes === undefined) return;
      yield bytes;
    }
    throw new Error(`the part ${JSON.stringify(this.name)} cannot be read after the next one was taken`);
  }

  private async next(): Promise<Buffer | undefined> {
    if (this.isOver) return undefined;
    const { value } = await this.segments.next();
    if (value?.kind === 'data') return value.bytes;
    this.isOver = true;
    return undefined;
  }
}
