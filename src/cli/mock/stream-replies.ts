/**
 * Streams of a mock. The hook that makes a response puts a stream into the event, and the requester
 * of the mock sends it back in chunks.
 */
import {
  failure,
  type InFlight,
  NO_BYTES,
  type OutgoingRequest,
  type ReplyExtras,
  type ReplyMessage,
  type Requester,
  type Settle,
  type StreamPort,
  settleSafely,
} from '../../core/messages/message.ts';
import { MAX_CHUNK, StreamWindow, WITHOUT_STREAM } from '../../core/messages/stream.ts';
import type { HookEvent } from '../../gateway/index.ts';
import type { StreamBinding } from '../../openapi/model/operation.ts';
import type { MockResponse } from './responses.ts';

type StreamFormat = StreamBinding['format'];

/** Name of the event of a request whose response is a stream. */
const EVENT = 'mock.stream';

/** A stream as event data. */
interface PostedStream {
  readonly status: number;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Base64 of each chunk. */
  readonly chunks: readonly string[];
}

/** Where an item ends, by the format of the stream. Bytes have no items. */
const ITEM_ENDS: Readonly<Partial<Record<StreamFormat, string>>> = {
  events: '\n\n',
  lines: '\n',
  sequence: '\n',
};

/**
 * Splits the bytes of a stream into chunks: the items, or pieces of at most 64 KiB.
 *
 * @param format format of the stream.
 */
export function chunksOf(bytes: Buffer, format: StreamFormat): Buffer[] {
  const chunks: Buffer[] = [];
  const itemEnd = ITEM_ENDS[format];
  for (let at = 0; at < bytes.length; ) {
    const found = itemEnd === undefined ? -1 : bytes.indexOf(itemEnd, at);
    const end = found === -1 ? bytes.length : found + (itemEnd?.length ?? 0);
    while (at < end) {
      const next = Math.min(end, at + MAX_CHUNK);
      chunks.push(bytes.subarray(at, next));
      at = next;
    }
  }
  return chunks;
}

/** Puts a response that is a stream into the event of its request. */
export function postStream(
  event: HookEvent,
  { status, headers, data }: MockResponse,
  format: StreamFormat,
): void {
  const { 'content-type': contentType = '', ...others } = headers;
  const bytes = Buffer.isBuffer(data) ? data : Buffer.from(JSON.stringify(data));
  const chunks = chunksOf(bytes, format).map((chunk) => chunk.toString('base64'));
  event.name = EVENT;
  event.data = { status, contentType, headers: others, chunks } satisfies PostedStream;
}

/** Sends the chunks of a stream, one at an interval, while the window of the caller is open. */
class MockStream implements InFlight {
  private readonly window: StreamWindow;
  private readonly chunks: Buffer[];
  private timer: NodeJS.Timeout | undefined;
  private isFirst = true;
  private isDone = false;

  constructor(
    private readonly posted: PostedStream,
    private readonly port: StreamPort,
    private readonly settle: Settle,
    private readonly interval: number,
  ) {
    this.window = new StreamWindow(port.window);
    this.chunks = posted.chunks.map((chunk) => Buffer.from(chunk, 'base64'));
    this.timer = setTimeout(() => this.next(), 0);
  }

  cancel(): void {
    this.isDone = true;
    clearTimeout(this.timer);
  }

  grant(bytes: number): void {
    const wasOpen = this.window.open;
    this.window.grant(bytes);
    if (!wasOpen && this.timer === undefined) this.next();
  }

  sendChunk(): void {
    // A mock reads no bodies.
  }

  private next(): void {
    this.timer = undefined;
    if (this.isDone || !this.window.open) return;
    const body = this.chunks.shift();
    if (body === undefined) return this.end();
    const isFirst = this.isFirst;
    this.isFirst = false;
    this.window.take(body);
    this.timer = setTimeout(() => this.next(), this.chunks.length === 0 ? 0 : this.interval);
    this.port.onChunk(part(isFirst ? this.posted : undefined, body, true));
  }

  private end(): void {
    this.isDone = true;
    settleSafely(this.settle, part(this.isFirst ? this.posted : undefined, NO_BYTES, false));
  }
}

/** @param head status and headers, for the first part. */
function part(head: PostedStream | undefined, body: Buffer, more: boolean): ReplyMessage {
  const extras: ReplyExtras = { headers: { ...head?.headers } };
  return {
    status: head?.status ?? 200,
    code: '',
    dispatched: true,
    more,
    contentType: head?.contentType ?? '',
    extras: head === undefined ? NO_BYTES : Buffer.from(JSON.stringify(extras)),
    body,
  };
}

/** The requester of a mock, which has no workers: it answers only with streams. */
export class MockRequester implements Requester {
  readonly reachable = true;

  /** @param interval time between two chunks of a stream, in milliseconds. */
  constructor(private readonly interval: number) {}

  request({ eventName, body, extras, stream }: OutgoingRequest, settle: Settle): InFlight {
    if (eventName !== EVENT) return later(failure('NO_WORKER', 'a mock has no workers'), settle);
    const posted = JSON.parse(body.toString()) as PostedStream;
    const chunks = extras?.method === 'HEAD' ? [] : posted.chunks;
    if (stream !== undefined && stream.window > 0) {
      return new MockStream({ ...posted, chunks }, stream, settle, this.interval);
    }
    const whole = Buffer.concat(chunks.map((chunk) => Buffer.from(chunk, 'base64')));
    return later(part(posted, whole, false), settle);
  }
}

function later(reply: ReplyMessage, settle: Settle): InFlight {
  const turn = setImmediate(() => settle(reply));
  return { ...WITHOUT_STREAM, cancel: () => clearImmediate(turn) };
}
