/**
 * Collects packed records within a turn of the event loop and sends them as one message. While records
 * come one per turn, each is sent at once: waiting for others would only delay it. The base of the
 * channel to a peer and of the port to a worker thread.
 */
import type { CallParent } from '../../core/messages/calls.ts';
import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import type { ReplyMessage, RequestMessage } from '../../core/messages/message.ts';
import type { PackedBatch } from '../../wire/packed-batch.ts';
import { type Flushable, flushAtEndOfTurn } from './turn.ts';

export abstract class RecordSender implements Flushable {
  private scheduled = false;
  /** The last turn had a single record. */
  private single = false;
  /** A record was sent at once in this turn. */
  private sentAtOnce = false;

  /**
   * Creates a sender.
   *
   * @param batch collects the records
   * @param maxBytes size at which the batch is sent at once instead of at the end of the turn
   */
  constructor(
    protected readonly batch: PackedBatch,
    private readonly maxBytes: number,
  ) {}

  addRequest(id: number, generation: number, request: RequestMessage): void {
    this.batch.addRequest(id, generation, request);
    this.added();
  }

  addCall(id: number, generation: number, request: RequestMessage, parent: CallParent): void {
    this.batch.addCall(id, generation, request, parent);
    this.added();
  }

  addReply(id: number, generation: number, reply: ReplyMessage): void {
    this.batch.addReply(id, generation, reply);
    this.added();
  }

  addCancel(id: number, generation: number, why: CancelReason = 'cancelled'): void {
    this.batch.addCancel(id, generation, why);
    this.added();
  }

  /** Adds a chunk of a request body. `end`: it is the last one. */
  addChunk(id: number, generation: number, body: Buffer, end: boolean): void {
    this.batch.addChunk(id, generation, body, end);
    this.added();
  }

  /** Adds a grant of `bytes` for the stream that the peer sends. */
  addWindow(id: number, generation: number, bytes: number): void {
    this.batch.addWindow(id, generation, bytes);
    this.added();
  }

  /** Adds a grant of `bytes` for the stream that the peer sends for a call. */
  addCallWindow(id: number, generation: number, bytes: number): void {
    this.batch.addCallWindow(id, generation, bytes);
    this.added();
  }

  /** Sends the collected records. Called at the end of the turn, or before the sender is closed. */
  flush(): void {
    this.scheduled = false;
    this.single = this.batch.size === (this.sentAtOnce ? 0 : 1);
    this.sentAtOnce = false;
    if (this.batch.size > 0) this.sendBatch();
  }

  /** Takes the records from the batch and sends them. */
  protected abstract sendBatch(): void;

  private added(): void {
    if (this.batch.bytes >= this.maxBytes) this.flush();
    else if (!this.scheduled) {
      this.scheduled = true;
      flushAtEndOfTurn(this);
      if (!this.single) return;
      this.sentAtOnce = true;
      this.sendBatch();
    }
  }
}
