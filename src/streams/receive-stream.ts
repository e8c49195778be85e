/**
 * streams: streams as the node that sends the request sees them. It reads the items of the reply, and
 * sends the body.
 */
import type { ReadJson } from '../core/json/large-integers.ts';
import { errorOfOutcome, ZeroMQConfigError } from '../core/messages/errors.ts';
import type {
  InFlight,
  OutgoingRequest,
  ReplyMessage,
  RequestExtras,
  Requester,
} from '../core/messages/message.ts';
import type { SendOptions } from '../core/messages/send-options.ts';
import { REPLY_WINDOW } from '../core/messages/stream.ts';
import { errorOfReply, headersOf } from '../wire/incoming.ts';
import { type BodyPart, BodySender, type BodySource, bodyOf } from './body-sender.ts';
import { decoderFor } from './item-decoders.ts';
import { ReplyChunks } from './reply-chunks.ts';
import { ZeroMQStream } from './zeromq-stream.ts';

/** Options of {@link ZeroMQClient.stream}, and of `stream` of {@link HandlerContext}. */
export interface StreamSendOptions extends SendOptions {
  /**
   * Bytes that the worker may send before the reader has taken any. A quarter of it is granted at a
   * time.
   *
   * @defaultValue 262144 (256 KiB)
   */
  window?: number;
  /**
   * Body to send as a stream; the handler reads it as `context.body`.
   *
   * @defaultValue none
   */
  body?: BodySource;
  /**
   * Parts of a multipart body to send as a stream; the handler reads them as `context.parts`.
   *
   * @defaultValue none
   */
  parts?: Iterable<BodyPart> | AsyncIterable<BodyPart>;
  /** Media type of `body`. @defaultValue `application/octet-stream` */
  contentType?: string;
  /** Id of the last event that was received, to resume server-sent events. @defaultValue none */
  lastEventId?: string;
  /** Bytes to ask for, as in the HTTP header `Range`: `bytes=0-99`. @defaultValue the whole reply */
  range?: string;
}

/** Settings of the node that receives a stream. */
export interface StreamDefaults {
  /** Parses JSON items. */
  readonly readJson?: ReadJson | undefined;
  /** Maximum size of an item, in bytes. */
  readonly maxMessageSize: number;
}

/** Sends a request and resolves with its reply once the first chunk has arrived. */
export function receiveStream<Item>(
  requester: Pick<Requester, 'request'>,
  request: OutgoingRequest,
  options: StreamSendOptions,
  defaults: StreamDefaults,
): Promise<ZeroMQStream<Item>> {
  const { body, parts, signal, window = REPLY_WINDOW } = options;
  const opening = new Opening<Item>(request.eventName, window, bodyOf(body, parts), defaults);
  return opening.start(requester, request, signal);
}

/**
 * The extras of a request with a stream.
 *
 * @throws {ZeroMQConfigError} when an option is invalid.
 */
export function streamExtras(options: StreamSendOptions): RequestExtras {
  const { extras, body, parts, contentType, lastEventId, range, window = REPLY_WINDOW } = options;
  if (body !== undefined && parts !== undefined) {
    throw new ZeroMQConfigError('a request has either the option body or the option parts, not both');
  }
  if (window < 1) throw new ZeroMQConfigError(`window must be at least 1 byte, got ${window}`);
  const type =
    parts === undefined
      ? (contentType ?? (body === undefined ? undefined : 'application/octet-stream'))
      : 'multipart/form-data';
  return {
    ...extras,
    ...(type !== undefined && { contentType: type }),
    ...(lastEventId !== undefined && { lastEventId }),
    ...(range !== undefined && { range }),
  };
}

/** A request from its start to its last part. */
class Opening<Item> {
  private readonly chunks: ReplyChunks;
  private readonly sender: BodySender | undefined;
  private inFlight: InFlight | undefined;
  private resolve!: (stream: ZeroMQStream<Item>) => void;
  private reject!: (error: unknown) => void;
  private signal: AbortSignal | undefined;
  private opened = false;
  private settled = false;

  private readonly onAbort = (): void => {
    this.cancel(errorOfOutcome('CANCELLED', 'the request was aborted', { cause: this.signal?.reason }));
  };

  constructor(
    private readonly eventName: string,
    private readonly window: number,
    body: AsyncGenerator<Buffer, void, undefined> | undefined,
    private readonly defaults: StreamDefaults,
  ) {
    this.chunks = new ReplyChunks(window, (bytes) => this.inFlight?.grant(bytes));
    this.sender = body && new BodySender(body);
  }

  start(
    requester: Pick<Requester, 'request'>,
    request: OutgoingRequest,
    signal: AbortSignal | undefined,
  ): Promise<ZeroMQStream<Item>> {
    const { sender, window } = this;
    this.signal = signal;
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      if (signal?.aborted === true) return this.onAbort();
      const stream = {
        window,
        upload: sender !== undefined,
        onChunk: (reply: ReplyMessage) => this.chunk(reply),
        onWindow: (bytes: number) => sender?.grant(bytes),
      };
      const inFlight = requester.request({ ...request, stream }, (reply) => this.last(reply));
      this.inFlight = inFlight;
      signal?.addEventListener('abort', this.onAbort, { once: true });
      // An error of the source is the caller's own: it is passed on unchanged.
      sender?.send(inFlight).catch((error: unknown) => this.cancel(error));
    });
  }

  private chunk(reply: ReplyMessage): void {
    this.chunks.push(reply);
    this.open(reply);
  }

  private last(reply: ReplyMessage): void {
    // A caller that cancels has its own error.
    if (this.settled) return;
    this.end();
    const { readJson = JSON.parse } = this.defaults;
    if (reply.code === '') {
      this.chunks.end(reply.body);
      this.open(reply);
      return;
    }
    const error = errorOfReply(reply, readJson);
    this.chunks.fail(error);
    this.reject(error);
  }

  private open(reply: ReplyMessage): void {
    if (this.opened) return;
    this.opened = true;
    const { eventName, chunks, defaults } = this;
    const { status, contentType } = reply;
    const { readJson = JSON.parse, maxMessageSize } = defaults;
    const head = { eventName, status, contentType, headers: headersOf(reply) };
    const decoder = () => decoderFor(contentType, readJson, maxMessageSize);
    const cancel = (): void => this.cancel(errorOfOutcome('CANCELLED', 'the stream was cancelled'));
    this.resolve(new ZeroMQStream<Item>(head, { chunks, decoder, cancel }));
  }

  private cancel(error: unknown): void {
    if (this.settled) return;
    this.end();
    this.inFlight?.cancel();
    this.chunks.fail(error);
    this.reject(error);
  }

  private end(): void {
    this.settled = true;
    this.sender?.stop();
    this.signal?.removeEventListener('abort', this.onAbort);
  }
}
