/** The executions of one connection, by the ids that its peer chose. */
import { IdMap } from '../core/collections/id-map.ts';
import type { CancelReason } from '../core/messages/cancel-reason.ts';
import type { Execution } from './execution.ts';

/** A request of a peer. */
export interface PeerRequest {
  readonly generation: number;
  /** Undefined until the executor has it. */
  readonly execution: Execution | undefined;
}

/** Passes what arrives for a request in flight to its execution, and drops what arrives later. */
export class ExecutionTable<Request extends PeerRequest> extends IdMap<Request> {
  cancel(id: number, generation: number, why: CancelReason): void {
    this.execution(id, generation)?.cancel(why);
  }

  chunk(id: number, generation: number, body: Buffer, end: boolean): void {
    this.execution(id, generation)?.chunk(body, end);
  }

  window(id: number, generation: number, bytes: number): void {
    this.execution(id, generation)?.window(bytes);
  }

  private execution(id: number, generation: number): Execution | undefined {
    const request = this.get(id);
    return request?.generation === generation ? request.execution : undefined;
  }
}
