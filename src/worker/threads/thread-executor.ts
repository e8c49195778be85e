/** Runs requests in a thread, and sends the calls of its handlers: the parent's side. */

import { IdMap } from '../../core/collections/id-map.ts';
import { SlotTable, type Slotted } from '../../core/collections/slot-table.ts';
import type { CallParent, CallSource } from '../../core/messages/calls.ts';
import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import {
  type Cancellable,
  failure,
  type ReplyMessage,
  type RequestMessage,
} from '../../core/messages/message.ts';
import type { Execution, ExecutionStream, RequestExecutor } from '../../runtime/execution.ts';
import type { PackedSink } from '../../wire/packed.ts';
import { PackedPort, type PostedRecords, type PostTarget } from './packed-port.ts';
import type { ToThread } from './thread-messages.ts';

/** A request in the thread. */
class RemoteExecution implements Execution, Slotted {
  id = 0;
  generation = 0;

  constructor(
    private readonly port: PackedPort,
    readonly settle: (reply: ReplyMessage) => void,
    readonly source: CallSource | undefined,
    readonly stream: ExecutionStream | undefined,
  ) {}

  cancel(why: CancelReason): void {
    if (this.generation !== 0) this.port.addCancel(this.id, this.generation, why);
  }

  window(bytes: number): void {
    if (this.generation !== 0) this.port.addWindow(this.id, this.generation, bytes);
  }

  chunk(body: Buffer, end: boolean): void {
    if (this.generation !== 0) this.port.addChunk(this.id, this.generation, body, end);
  }
}

/** A call of a handler in the thread. */
interface ThreadCall {
  readonly generation: number;
  inFlight: Cancellable | undefined;
}

export class ThreadExecutor implements RequestExecutor, PackedSink {
  private readonly executions = new SlotTable<RemoteExecution>();
  private readonly port: PackedPort;
  private idle: (() => void) | undefined;
  /** Calls of the thread in flight, by their slot in the thread. */
  private readonly calls = new IdMap<ThreadCall>();

  /**
   * Creates an executor.
   *
   * @param maxLoad maximum number of requests that the thread may hold; further ones are rejected
   */
  constructor(
    private readonly thread: PostTarget,
    private readonly maxLoad: number,
  ) {
    this.port = new PackedPort(thread, this);
  }

  get load(): number {
    return this.executions.size;
  }

  execute(
    message: RequestMessage,
    settle: (reply: ReplyMessage) => void,
    source?: CallSource,
    stream?: ExecutionStream,
  ): Execution {
    const execution = new RemoteExecution(this.port, settle, source, stream);
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
    this.thread.postMessage({ type: 'drain' } satisfies ToThread);
    return new Promise((resolve) => {
      this.idle = resolve;
    });
  }

  close(): void {
    for (const execution of this.executions.values()) execution.cancel('stopped');
    for (const { inFlight } of this.calls.values()) inFlight?.cancel();
    this.calls.clear();
  }

  /** Handles records that the thread posted. */
  received(posted: PostedRecords): void {
    this.port.received(posted);
  }

  packedReply(id: number, generation: number, reply: ReplyMessage): void {
    const execution = this.executions.get(id, generation);
    if (execution === undefined) return;
    if (!reply.more) this.executions.remove(execution);
    execution.settle(reply);
    if (this.load === 0) this.idle?.();
  }

  packedWindow(id: number, generation: number, bytes: number): void {
    this.executions.get(id, generation)?.stream?.grant(bytes);
  }

  packedCall(id: number, generation: number, message: RequestMessage, parent: CallParent): void {
    const source = this.executions.get(parent.id, parent.generation)?.source;
    if (source === undefined) {
      // The request has ended, and with it the call.
      this.port.addReply(id, generation, failure('CANCELLED', 'the request ended', { dispatched: false }));
      return;
    }
    const call: ThreadCall = { generation, inFlight: undefined };
    this.calls.set(id, call);
    call.inFlight = source.call(message, parent.depth, (reply) => {
      if (this.calls.get(id) === call) this.calls.delete(id);
      this.port.addReply(id, generation, reply);
    });
  }

  packedCancel(id: number, generation: number): void {
    const call = this.calls.get(id);
    if (call?.generation !== generation) return;
    this.calls.delete(id);
    call.inFlight?.cancel();
  }

  packedRequest(): void {
    // A thread sends only replies and calls.
  }
}
