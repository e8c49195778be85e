/** Server-sent events with the state of an asynchronous request, after each change. */
import {
  type InFlight,
  NO_BYTES,
  type OutgoingRequest,
  type ReplyMessage,
  type Requester,
  type Settle,
} from '../../core/messages/message.ts';
import { StreamWindow } from '../../core/messages/stream.ts';
import { isFinal, type StoredRequest } from '../../store/index.ts';
import type { RequestChanges } from './changes.ts';
import { statusOf } from './status.ts';

const TYPE = 'text/event-stream';

/** What a feed reads. */
export interface FeedParts {
  readonly changes: RequestChanges;
  readonly path: string;
  readonly find: (id: string, caller: string) => Promise<StoredRequest | undefined>;
}

/** Answers requests for the events of a stored request, in place of a worker. */
export class EventFeeds implements Requester {
  readonly reachable = true;

  constructor(private readonly parts: FeedParts) {}

  request(outgoing: OutgoingRequest, settle: Settle): InFlight {
    return new EventFeed(this.parts, outgoing, settle);
  }
}

/** The events of one client. A client that reads slowly misses states, and never the last one. */
class EventFeed implements InFlight {
  private readonly id: string;
  private readonly caller: string;
  private readonly window: StreamWindow;
  private readonly stop: () => void;
  private done = false;
  private reading = false;
  private stale = true;
  private last = '';

  constructor(
    private readonly parts: FeedParts,
    private readonly outgoing: OutgoingRequest,
    private readonly settle: Settle,
  ) {
    const { id } = JSON.parse(String(outgoing.body)) as { id: string };
    this.id = id;
    this.caller = outgoing.extras?.caller?.id ?? '';
    this.window = new StreamWindow(outgoing.stream?.window ?? 0);
    this.stop = parts.changes.on(id, () => this.changed());
    this.changed();
  }

  cancel(): void {
    this.done = true;
    this.stop();
  }

  grant(bytes: number): void {
    this.window.grant(bytes);
    void this.send();
  }

  sendChunk(): void {
    // The request has no body.
  }

  private changed(): void {
    this.stale = true;
    void this.send();
  }

  private async send(): Promise<void> {
    if (this.reading) return;
    this.reading = true;
    try {
      while (this.stale && !this.done && this.window.open) {
        this.stale = false;
        const request = await this.parts.find(this.id, this.caller);
        if (!this.isDone()) this.emit(request);
      }
    } catch {
      this.end(failed('STORE_UNAVAILABLE', 503));
    }
    this.reading = false;
  }

  private emit(request: StoredRequest | undefined): void {
    if (request === undefined) {
      // The state of a request that was shown before has expired.
      this.end(this.last === '' ? failed('REQUEST_NOT_FOUND', 404) : chunk(NO_BYTES, false));
      return;
    }
    const data = JSON.stringify(statusOf(request, this.parts.path));
    if (data !== this.last) {
      this.last = data;
      const isHead = this.outgoing.extras?.method === 'HEAD';
      const body = isHead ? NO_BYTES : Buffer.from(`event: state\ndata: ${data}\n\n`);
      this.window.take(body);
      this.outgoing.stream?.onChunk(chunk(body, true));
    }
    if (isFinal(request.state)) this.end(chunk(NO_BYTES, false));
  }

  private end(reply: ReplyMessage): void {
    if (this.done) return;
    this.cancel();
    this.settle(reply);
  }

  /** A method, because the compiler does not know that `cancel` may have been called meanwhile. */
  private isDone(): boolean {
    return this.done;
  }
}

function chunk(body: Buffer, more: boolean): ReplyMessage {
  return { status: 200, code: '', dispatched: true, more, contentType: TYPE, extras: NO_BYTES, body };
}

function failed(code: string, status: number): ReplyMessage {
  return { ...chunk(Buffer.from('{}'), false), code, status, contentType: '', dispatched: false };
}
