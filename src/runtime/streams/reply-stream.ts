/**
 * Sends a stream as the reply to a request: pulls items from its source while the caller's window is
 * open, encodes them, and sends chunks.
 *
 * | state | next | meaning |
 * |---|---|---|
 * | running | ended | its source is read. Before the first chunk, a failure is an ordinary reply; afterwards it is the code of the last part |
 * | ended | – | the last part was sent, or the caller has gone away; the source may still have to end |
 */
import type { StreamRule } from '../../contract/index.ts';
import type { ReplyMessage } from '../../core/messages/message.ts';
import type { TracedSpan } from '../../core/observability/tracing.ts';
import type { Cancel, Clock } from '../../core/time/clock.ts';
import type { ReplyHead } from '../encode.ts';
import { ChunkSender, type ChunkTarget, SUCCESS } from './chunk-sender.ts';
import { contentTypeOf, type Encode, encoderFor } from './encoders.ts';
import { EVENT_STREAM, encodeEvent, event } from './event.ts';
import { type Puller, pullerOf, type StreamSource } from './source.ts';

/** How long an event stream may be silent before the caller gets its headers, in milliseconds. */
const OPEN_AFTER = 1000;

/** Bounds of the time after which clients of an ended event stream reconnect, in milliseconds. */
const RETRY = { min: 1000, range: 4000 };

/** The request that a stream answers. */
export interface ReplyStreamHost extends Omit<ChunkTarget, 'failed'> {
  readonly clock: Clock;
  /** Whether the caller wants status and headers only. */
  readonly headOnly: boolean;
  readonly rules: StreamRule | undefined;
  /** The code of the source runs in this span. */
  readonly span: TracedSpan | undefined;
  /** Milliseconds until the deadline of the first chunk. */
  timeLeft(): number;
  /** Sends the last part, or a whole reply. The source may still run. */
  settle(reply: ReplyMessage): void;
  /**
   * The source has ended. Called once, last.
   *
   * @param outcome how the request ended.
   */
  ended(outcome: ReplyMessage): void;
  /** Converts what the source threw. */
  toFailure(thrown: unknown): ReplyMessage;
}

export class ReplyStream {
  private state: 'running' | 'ended' = 'running';
  private readonly puller: Puller;
  private readonly sender: ChunkSender;
  private encode: Encode | undefined;
  private cancelOpening: Cancel | undefined;
  /** Whether the source has ended by itself. */
  private exhausted = false;
  private stopping: Promise<void> | undefined;
  private outcome = SUCCESS;

  /** @throws {TypeError} when the source cannot be read, such as a locked web stream. */
  constructor(
    source: StreamSource,
    head: ReplyHead,
    private readonly host: ReplyStreamHost,
  ) {
    this.puller = pullerOf(source);
    const { window, maxBytes, rules } = host;
    this.sender = new ChunkSender(head, head.contentType || (rules?.contentType ?? ''), {
      window,
      maxBytes,
      started: () => {
        this.cancelOpening?.();
        host.started();
      },
      send: (chunk) => host.send(chunk),
      failed: (error) => this.fail(error),
    });
  }

  /** Whether the first chunk was sent, and the last part was not. */
  get isFlowing(): boolean {
    return this.sender.hasStarted && !this.isEnded;
  }

  /** Starts to send, never before this returns. */
  start(): void {
    if (this.isEventStream) {
      const delay = Math.min(OPEN_AFTER, this.host.timeLeft() / 2);
      this.cancelOpening = this.host.clock.after(delay, () => this.sender.open());
    }
    queueMicrotask(() => void this.run());
  }

  /** The caller takes `bytes` more. */
  grant(bytes: number): void {
    this.sender.grant(bytes);
  }

  /**
   * Ends the source, because the reply is no longer needed.
   *
   * @param outcome how the request ended.
   */
  cancel(outcome: ReplyMessage): void {
    if (this.isEnded) return;
    this.outcome = outcome;
    this.halt();
  }

  /**
   * The node drains: an event stream ends, and its client reconnects after a random time. Other
   * streams run on.
   *
   * @returns whether it ends.
   */
  drain(): boolean {
    if (this.isEnded || !this.isEventStream) return false;
    this.sender.open();
    const retry = event({ retry: Math.round(RETRY.min + Math.random() * RETRY.range) });
    this.settle(this.sender.last(Buffer.from(encodeEvent(retry))));
    return true;
  }

  private get isEventStream(): boolean {
    return !this.sender.isWhole && this.sender.contentType.startsWith(EVENT_STREAM);
  }

  /** A getter, because the state changes while this waits. */
  private get isEnded(): boolean {
    return this.state === 'ended';
  }

  private async run(): Promise<void> {
    try {
      if (this.host.headOnly && this.sender.contentType !== '') this.settle(this.sender.last());
      else await this.pullAll();
    } catch (error) {
      this.fail(error);
    }
    await this.stopping;
    this.host.ended(this.outcome);
  }

  private async pullAll(): Promise<void> {
    while (!this.isEnded) {
      const closed = this.sender.ready();
      if (closed !== undefined) await closed;
      if (this.isEnded) return;
      const step = await this.pull();
      if (this.isEnded) return;
      if (step.done === true) return this.sourceEnded();
      if (this.host.headOnly) {
        this.setType(step.value);
        return this.settle(this.sender.last());
      }
      const writing = this.sender.write(this.encoded(step.value));
      if (writing !== undefined) await writing;
    }
  }

  private async pull(): Promise<IteratorResult<unknown, unknown>> {
    const { span } = this.host;
    try {
      return await (span === undefined ? this.puller.next() : span.run(() => this.puller.next()));
    } catch (error) {
      this.exhausted = true;
      throw error;
    }
  }

  private sourceEnded(): void {
    this.exhausted = true;
    this.setType(undefined);
    if (!this.host.headOnly) this.sender.checkLength();
    this.settle(this.sender.last());
  }

  private encoded(item: unknown): string | Buffer {
    if (this.encode === undefined) {
      this.setType(item);
      this.encode = encoderFor(this.sender.contentType, this.host.rules?.check);
    }
    return this.encode(item);
  }

  private setType(first: unknown): void {
    if (this.sender.contentType === '') this.sender.contentType = contentTypeOf(first);
  }

  private settle(reply: ReplyMessage): void {
    this.outcome = reply;
    this.halt();
    this.host.settle(reply);
  }

  private fail(thrown: unknown): void {
    const failure = this.host.toFailure(thrown);
    if (this.isEnded) return;
    try {
      if (!this.sender.isWhole) this.sender.flush();
    } catch {
      // The items before the failure make the stream too long, which does not matter now.
    }
    this.settle(failure);
  }

  private halt(): void {
    this.state = 'ended';
    this.cancelOpening?.();
    this.sender.close();
    if (this.exhausted) return;
    this.stopping = this.puller.stop().then(
      () => undefined,
      (error: unknown) => void this.host.toFailure(error),
    );
  }
}
