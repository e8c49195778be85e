/**
 * Counts and limits the bytes of replies that clients do not read, over all clients of a socket.
 *
 * libzmq does not report what it holds for a peer. When it accepts no more messages, it holds the
 * last 50 to 100 (ZMQ_SNDHWM; it learns in steps of half the mark what the peer has read). The
 * channel therefore adds the sizes of that many messages.
 */

/** The default limit and the minimum, in bytes. */
const DEFAULT_LIMIT = 128 * 1024 * 1024;
const MIN_LIMIT = 1024 * 1024;

/** Messages whose sizes are added up in one counter. */
const SPAN = 50;

/** All unread replies of a socket. */
export class UnreadReplies {
  /** Total size in bytes. */
  bytes = 0;
  /** Clients that accept no messages now. */
  clients = 0;
  readonly limit: number;

  constructor(limit = DEFAULT_LIMIT) {
    this.limit = Math.max(limit, MIN_LIMIT);
  }
}

/** The unread replies of one client. */
export class UnreadShare {
  private bytes = 0;
  private blocked = false;
  /** Bytes of the messages handed to libzmq in this span, and in the previous one. */
  private current = 0;
  private before = 0;
  private count = 0;

  constructor(private readonly all: UnreadReplies) {}

  /** Whether the limit is reached and this client uses more than an equal share of it. */
  get exceeded(): boolean {
    const { bytes, limit, clients } = this.all;
    return bytes >= limit && this.bytes * clients >= limit;
  }

  /** Counts a message that was handed to libzmq. */
  sent(bytes: number): void {
    if (this.count === SPAN) {
      this.before = this.current;
      this.current = 0;
      this.count = 0;
    }
    this.count++;
    this.current += bytes;
  }

  /** Counts a message that was queued because libzmq did not accept it. */
  queued(bytes: number): void {
    if (!this.blocked) {
      this.blocked = true;
      this.all.clients++;
      this.add(this.current + this.before);
    }
    this.add(bytes);
  }

  /** Removes a queued message that was sent or dropped. */
  dequeued(bytes: number): void {
    this.add(-bytes);
  }

  /** Resets the share: the client accepts messages again, or has disconnected. */
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
