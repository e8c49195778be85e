/** Runs requests in a thread: the parent's side. */

import { SlotTable, type Slotted } from '../../core/collections/slot-table.ts';
import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import { failure, type ReplyMessage, type RequestMessage } from '../../core/messages/message.ts';
import type { Execution, RequestExecutor } from '../../runtime/execution.ts';
import type { PackedSink } from '../../wire/packed.ts';
import { PackedPort, type PostedRecords, type PostTarget } from './packed-port.ts';

/** A request in the thread. */
class RemoteExecution implements Execution, Slotted {
  id = 0;
  generation = 0;

  constructor(
    private readonly port: PackedPort,
    readonly settle: (reply: ReplyMessage) => void,
  ) {}

  cancel(why: CancelReason): void {
    if (this.generation !== 0) this.port.addCancel(this.id, this.generation, why);
  }
}

export class ThreadExecutor implements RequestExecutor, PackedSink {
  private readonly executions = new SlotTable<RemoteExecution>();
  private readonly port: PackedPort;
  private idle: (() => void) | undefined;

  /**
   * Creates an executor.
   *
   * @param maxLoad maximum number of requests that the thread may hold; further ones are rejected
   */
  constructor(
    thread: PostTarget,
    private readonly maxLoad: number,
  ) {
    this.port = new PackedPort(thread, this);
  }

  get load(): number {
    return this.executions.size;
  }

  execute(message: RequestMessage, settle: (reply: ReplyMessage) => void): Execution {
    const execution = new RemoteExecution(this.port, settle);
    if (this.executions.size >= this.maxLoad) {
      settle(failure('BUSY', `the thread holds ${this.maxLoad} requests, the maximum`));
      return execution;
    }
    this.executions.add(execution);
    this.port.addRequest(execution.id, execution.generation, message);
    return execution;
  }

  drained(): Promise<void> {
    if (this.load === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.idle = resolve;
    });
  }

  close(): void {
    for (const execution of this.executions.values()) execution.cancel('stopped');
  }

  /** Handles records that the thread posted. */
  received(posted: PostedRecords): void {
    this.port.received(posted);
  }

  packedReply(id: number, generation: number, reply: ReplyMessage): void {
    const execution = this.executions.get(id, generation);
    if (execution === undefined) return;
    this.executions.remove(execution);
    execution.settle(reply);
    if (this.load === 0) this.idle?.();
  }

  packedRequest(): void {
    // A thread sends only replies.
  }

  packedCancel(): void {
    // A thread sends only replies.
  }
}
