/**
 * The state of a stream in a node that passes its chunks on, a router or a client: the windows of both
 * directions, and how long it was silent.
 */
import { MAX_CHUNK, StreamWindow } from './stream.ts';

/** The connection to the receiver of a body. */
export interface ChunkPort {
  sendChunk?(id: number, generation: number, body: Buffer, end: boolean): void;
}

/** A chunk of a request body that its worker has not granted yet. */
interface HeldChunk {
  readonly body: Buffer;
  readonly end: boolean;
}

/** A request body that its caller sends in chunks. */
export class StreamBody {
  /** What the caller may still send. */
  private readonly granted = new StreamWindow(0);
  /** What the worker still takes; undefined until the worker that holds the request has granted. */
  private taken: StreamWindow | undefined;
  /**
   * Chunks that the worker has not granted. There are only any while the request waits for another
   * worker, so they fit the window of the first one.
   */
  private held: HeldChunk[] = [];
  private heldBytes = 0;
  /** Whether a worker was sent a chunk. */
  forwarded = false;
  /** Whether the caller has sent the last chunk. */
  ended = false;

  /** Counts a chunk of the caller. Returns false if the caller sent more than was granted. */
  receive(body: Buffer, end: boolean): boolean {
    if (this.ended || body.length > MAX_CHUNK) return false;
    this.ended = end;
    return end || this.granted.take(body);
  }

  /** Sends a chunk to the worker, or holds it until the worker has granted. */
  pass(port: ChunkPort | undefined, id: number, generation: number, body: Buffer, end: boolean): void {
    if (port !== undefined && this.held.length === 0 && this.mayPass(end)) {
      this.send(port, id, generation, body, end);
      return;
    }
    // A copy, because the chunk would keep the batch that it arrived in.
    this.held.push({ body: Buffer.from(body), end });
    this.heldBytes += body.length;
  }

  /**
   * Handles a grant of the worker: sends it held chunks.
   *
   * @returns bytes that the caller may send more.
   */
  grant(port: ChunkPort, id: number, generation: number, bytes: number): number {
    this.taken ??= new StreamWindow(0);
    this.taken.grant(bytes);
    for (let next = this.held[0]; next !== undefined && this.mayPass(next.end); next = this.held[0]) {
      this.held.shift();
      this.heldBytes -= next.body.length;
      this.send(port, id, generation, next.body, next.end);
    }
    const more = this.taken.bytes - this.heldBytes - this.granted.bytes;
    if (more <= 0 || this.ended) return 0;
    this.granted.grant(more);
    return more;
  }

  /** The worker that held the request is gone; another one will grant anew. */
  returned(): void {
    this.taken = undefined;
  }

  private mayPass(end: boolean): boolean {
    return this.taken !== undefined && (end || this.taken.open);
  }

  private send(port: ChunkPort, id: number, generation: number, body: Buffer, end: boolean): void {
    this.forwarded = true;
    if (!end) this.taken?.take(body);
    port.sendChunk?.(id, generation, body, end);
  }
}

/** The stream of one request. */
export class StreamState {
  /** What the worker may still send of the reply. */
  readonly reply: StreamWindow;
  /** The body of the request, if it follows in chunks. */
  readonly body: StreamBody | undefined;
  /** Time of the first chunk of the reply; undefined before it. */
  startedAt: number | undefined;
  /** Whether a chunk was passed on, in either direction. */
  open = false;
  /** Whether it uses no credit of its worker. */
  isCreditless = false;
  /** Whether the reply consists of server-sent events, which may be silent for any time. */
  private eventStream = false;
  /** Time of the last chunk or grant. */
  private activeAt: number;
  /** Time that the request was allowed. */
  private readonly allowed: number;

  constructor(window: number, upload: boolean, now: number, allowed: number) {
    this.reply = new StreamWindow(window);
    this.body = upload ? new StreamBody() : undefined;
    this.activeAt = now;
    this.allowed = allowed;
  }

  get started(): boolean {
    return this.startedAt !== undefined;
  }

  /** Whether another worker may run the request: none was sent, or has sent, a chunk. */
  get mayRestart(): boolean {
    return !this.started && this.body?.forwarded !== true;
  }

  /** Handles the first chunk of the reply. */
  start(contentType: string, now: number): void {
    this.startedAt = now;
    this.eventStream = /^text\/event-stream\s*(?:;|$)/i.test(contentType);
  }

  /** Something moved. */
  touch(now: number): void {
    this.activeAt = now;
  }

  /**
   * Until when the stream may be silent, in ms; Infinity: for any time. Before its first chunk, the
   * reply has the time that the request was allowed, which starts again with the last chunk of a
   * request body. While the caller's window is used up, the worker may send nothing, so its silence
   * does not count.
   *
   * @param deadline the deadline of the request.
   * @param idle how long a stream may be silent.
   */
  silentUntil(deadline: number, idle: number, now: number): number {
    if (this.started) {
      if (this.eventStream) return Infinity;
      return this.reply.open ? this.activeAt + idle : now + idle;
    }
    if (this.body === undefined || !this.open) return deadline;
    return Math.max(deadline, this.activeAt + (this.body.ended ? this.allowed : idle));
  }
}
