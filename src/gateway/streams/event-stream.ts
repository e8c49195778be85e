/** Writes the server-sent events of a worker to their client. */
import { EventBoundary, EventSplitter } from './event-splitter.ts';
import { type Fault, ReplyStream, type StreamSilence, type StreamTarget } from './reply-stream.ts';

/** Maximum size of an event that is held until it is complete, in bytes. */
const MAX_EVENT = 1024 * 1024;

const KEEP_ALIVE = Buffer.from(': keep-alive\n');

/** A reply of server-sent events, whose chunks pass through unread. */
export class EventStream extends ReplyStream {
  private readonly boundary = new EventBoundary();
  /** Time after which the client reconnects, in ms, once the current event has ended. */
  private endsWith: number | undefined;

  constructor(target: StreamTarget) {
    super(target, undefined);
  }

  private get isBetweenEvents(): boolean {
    return this.boundary.isBetweenEvents;
  }

  /** Writes a comment after a silence. Events may be as rare as the worker likes. */
  override checkSilence(now: number, { keepAliveComment }: StreamSilence): Fault {
    if (this.isSilent(now, keepAliveComment) && this.boundary.isBetweenLines) this.add(KEEP_ALIVE);
    return undefined;
  }

  /** Ends the stream with an event of the type `error`. */
  override fail(problem: Buffer): void {
    if (!this.isBetweenEvents) {
      // The client would take the beginning of the event for all of it.
      this.cut();
      return;
    }
    this.add(Buffer.concat([Buffer.from('event: error\ndata: '), problem, Buffer.from('\n\n')]));
    this.finish();
  }

  /** Ends the stream after the current event, so that the client connects again. */
  override drain(delay: number): boolean {
    this.endsWith = delay;
    return this.endIfAsked();
  }

  override endIfAsked(): boolean {
    if (this.endsWith === undefined || !this.isBetweenEvents) return false;
    this.add(Buffer.from(`retry: ${this.endsWith}\n\n`));
    this.finish();
    return true;
  }

  protected override write(body: Buffer): void {
    this.boundary.push(body);
    super.write(body);
  }

  /** Writes bytes that do not come from the worker. */
  private add(bytes: Buffer): void {
    super.write(bytes);
  }
}

/**
 * A stream of events that another worker can continue. The client receives whole events only, so
 * that the next worker starts exactly after the last of them.
 */
export class ResumableEventStream extends EventStream {
  private splitter: EventSplitter;
  /** Bytes of the event that is not complete. */
  private held: Buffer[] = [];
  private heldLength = 0;

  /** @param firstId the `Last-Event-ID` of the client; empty without one. */
  constructor(target: StreamTarget, firstId: string) {
    super(target);
    this.splitter = new EventSplitter(firstId);
  }

  /**
   * The id after which the stream can continue; empty for the beginning, undefined if it cannot
   * continue.
   */
  get resumeId(): string | undefined {
    return this.splitter.resumeId;
  }

  override restart(): void {
    this.splitter = new EventSplitter(this.splitter.resumeId);
    this.held = [];
    this.heldLength = 0;
    super.restart();
  }

  protected override take(body: Buffer): Fault {
    const complete = this.splitter.push(body);
    if (complete > 0) {
      const rest = body.subarray(complete);
      const events = Buffer.concat([...this.held, body.subarray(0, complete)]);
      this.held = rest.length > 0 ? [rest] : [];
      this.heldLength = rest.length;
      return super.take(events);
    }
    if (body.length > 0) this.held.push(body);
    this.heldLength += body.length;
    if (this.heldLength > MAX_EVENT) return `The worker sent an event of more than ${MAX_EVENT} bytes.`;
    return super.take(body.subarray(0, 0));
  }
}
