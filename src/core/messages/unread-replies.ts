/**
 * Replies that wait for clients which do not read them: their bytes over all clients of a socket, and the bound on them.
 *
 * libzmq does not say what it holds for a peer. Once it takes nothing more, it holds the last 50 to 100 messages
 * (ZMQ_SNDHWM; it learns of what was read in steps of half the mark), so the channel counts the sizes of as many.
 */

/** The bound where none is given, and the least one, in bytes. */
const DEFAULT_LIMIT = 128 * 1024 * 1024;
const MIN_LIMIT = 1024 * 1024;

/** Messages whose sizes are summed up in one number. */
const SPAN = 50;

/** All unread replies of a socket. */
export class UnreadReplies {
  /** What they take, in bytes. */
  bytes = 0;
  /** Clients that take nothing now. */
  clients = 0;
  readonly limit: number;

  constructor(limit = DEFAULT_LIMIT) {
    this.limit = Math.max(limit, MIN_LIMIT);
  }
}

/** Those of one client. */
export class UnreadShare {
  private bytes = 0;
  private blocked = false;
  /** Bytes of the messages handed to libzmq in this span and the one before. */
  private current = 0;
  private before = 0;
  private count = 0;

  constructor(private readonly all: UnreadReplies) {}

  /** Whether the bound is reached, and this client has more than an equal part of it. */
  get exceeded(): boolean {
    const { bytes, limit, clients } = this.all;
    return bytes >= limit && this.bytes * clients >= limit;
  }

  /** A message was handed to libzmq. */
  sent(bytes: number): void {
    if (this.count === SPAN) {
      this.before = this.current;
      this.current = 0;
      this.count = 0;
    }
    this.count++;
    this.current += bytes;
  }

  /** A message waits that libzmq does not take. */
  queued(bytes: number): void {
    if (!this.blocked) {
      this.blocked = true;
      this.all.clients++;
      this.add(this.current + this.before);
    }
    this.add(bytes);
  }

  /** A message that waited was taken or dropped. */
  dequeued(bytes: number): void {
    this.add(-bytes);
  }

  /** The client takes messages again, or is gone. */
  release(): void {
    if (!this.blocked) return;
    this.blocked = false;
    this.all.clients--;
    this.add(-this.bytes);
  }

  private add(bytes: number): void {
    this.bytes += bytes;
    this.all.bytes += bytes;
  }
}
