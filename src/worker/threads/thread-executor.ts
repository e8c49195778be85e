/** Runs requests in a thread, and sends the calls of its handlers: the parent's side. */

import { IdMap } from '../../core/collections/id-map.ts';
import { SlotTable, type Slotted } from '../../core/collections/slot-table.ts';
import type { CallParent, CallSource } from '../../core/messages/calls.ts';
import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import {
  type Cancellable,
  failure,
  type InFlight,
  type ReplyMessage,
  type RequestMessage,
} from '../../core/messages/message.ts';
import { systemClock } from '../../core/time/clock.ts';
import type { Execution, ExecutionStream, RequestExecutor } from '../../runtime/execution.ts';
import type { PackedSink } from '../../wire/packed.ts';
import { PackedPort, type PostedRecords, type PostTarget } from './packed-port.ts';
import type { ToThread } from './thread-messages.ts';

/** A request in the thread. */
class RemoteExecution implements Execution, Slotted {
  id = 0;
  generation = 0;
  readonly since = systemClock.now();
  readonly eventName: string;
  readonly requestId: string;
  /** Whether the first chunk of its reply has arrived. */
  replied = false;
  /** Whether the drain does not wait for it. */
  isGivenUp = false;

  constructor(
    private readonly port: PackedPort,
    { eventName, requestId }: RequestMessage,
    readonly settle: (reply: ReplyMessage) => void,
    readonly source: CallSource | undefined,
    readonly stream: ExecutionStream | undefined,
  ) {
    this.eventName = eventName;
    this.requestId = requestId;
  }

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

/** A request that a thread holds. */
export interface HeldRequest {
  readonly event: string;
  readonly requestId: string;
  /** Milliseconds since it arrived. */
  readonly heldFor: number;
}

function heldRequest({ eventName: event, requestId, since }: RemoteExecution, now: number): HeldRequest {
  return { event, requestId, heldFor: Math.round(now - since) };
}

/** A call of a handler in the thread. */
interface ThreadCall {
  readonly generation: number;
  inFlight: Cancellable | undefined;
  /** The same, if the call has a stream. */
  stream: InFlight | undefined;
}

export class ThreadExecutor implements RequestExecutor, PackedSink {
  private readonly executions = new SlotTable<RemoteExecution>();
  /** Number of executions that are given up. */
  private givenUp = 0;
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
    return this.executions.size - this.givenUp;
  }

  execute(
    message: RequestMessage,
    settle: (reply: ReplyMessage) => void,
    source?: CallSource,
    stream?: ExecutionStream,
  ): Execution {
    const execution = new RemoteExecution(this.port, message, settle, source, stream);
    if (this.executions.size >= this.maxLoad) {
      settle(failure('BUSY', `the thread holds ${this.maxLoad} requests, the maximum`));
      return execution;
    }
    this.executions.add(execution);
    this.port.addRequest(execution.id, execution.generation, message);
    return execution;
  }

  /** The requests in the thread without a reply, the oldest one first. */
  holding(): HeldRequest[] {
    const now = systemClock.now();
    const held = [...this.executions.values()].filter(({ replied }) => !replied);
    return held.sort((a, b) => a.since - b.since).map((execution) => heldRequest(execution, now));
  }

  /** Gives up requests that hang: the drain does not wait for them. */
  giveUp(isHung: (request: HeldRequest) => boolean): void {
    const now = systemClock.now();
    for (const execution of this.executions.values()) {
      if (execution.replied || execution.isGivenUp || !isHung(heldRequest(execution, now))) continue;
      execution.isGivenUp = true;
      this.givenUp += 1;
    }
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
    if (reply.more) execution.replied = true;
    else if (this.executions.remove(execution) && execution.isGivenUp) this.givenUp -= 1;
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
    const call: ThreadCall = { generation, inFlight: undefined, stream: undefined };
    this.calls.set(id, call);
    const settle = (reply: ReplyMessage): void => {
      if (!reply.more && this.calls.get(id) === call) this.calls.delete(id);
      this.port.addReply(id, generation, reply);
    };
    if (message.window === undefined) {
      call.inFlight = source.call(message, parent.depth, settle);
      return;
    }
    call.stream = source.stream(message, parent.depth, settle, {
      window: message.window,
      upload: message.upload === true,
      onChunk: (reply) => this.port.addReply(id, generation, reply),
      onWindow: (bytes) => this.port.addCallWindow(id, generation, bytes),
    });
    call.inFlight = call.stream;
  }

  packedChunk(id: number, generation: number, body: Buffer, end: boolean): void {
    this.streamOf(id, generation)?.sendChunk(body, end);
  }

  packedCallWindow(id: number, generation: number, bytes: number): void {
    this.streamOf(id, generation)?.grant(bytes);
  }

  private streamOf(id: number, generation: number): InFlight | undefined {
    const call = this.calls.get(id);
    return call?.generation === generation ? call.stream : undefined;
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
