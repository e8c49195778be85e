/** The handle of a request of a client. */
import { failure, type InFlight, settleSafely } from '../core/messages/message.ts';
import type { PendingRequest } from './pending-request.ts';
import type { RequestTable } from './request-table.ts';

const NOT_SENT = 'the request was withdrawn before it was sent';

export class ClientRequest implements InFlight {
  constructor(
    private readonly table: RequestTable,
    private readonly pending: PendingRequest,
  ) {}

  cancel(): void {
    this.table.cancel(this.pending);
  }

  withdraw(): void {
    const { table, pending } = this;
    const { state, connection, attempts } = pending;
    if (state === 'settled') return;
    if (connection !== undefined && !connection.holds(pending)) {
      // Classic routers take no request back: their reply may still arrive.
      if (connection.enforcesDeadlines) connection.abandon(pending, 'withdrawn');
      return;
    }
    table.cancel(pending);
    const dispatched = attempts > (connection === undefined ? 0 : 1);
    settleSafely(pending.settle, failure('CANCELLED', NOT_SENT, { dispatched }));
  }

  grant(bytes: number): void {
    this.table.streams.grant(this.pending, bytes);
  }

  sendChunk(body: Buffer, end: boolean): void {
    this.table.streams.sendChunk(this.pending, body, end);
  }
}
