/** A worker's link to a router in the same thread: function calls instead of a socket. */

import { ROUTER_ID_SLOTS } from '../core/collections/id-map.ts';
import type { CallParent, CallSource } from '../core/messages/calls.ts';
import type { CancelReason } from '../core/messages/cancel-reason.ts';
import type { EmbeddedRouter, EmbeddedSlot, EmbeddedWorker } from '../core/messages/embedded.ts';
import {
  type Cancellable,
  failure,
  type InFlight,
  type ReplyMessage,
  type RequestMessage,
  type Settle,
  type StreamPort,
} from '../core/messages/message.ts';
import { isProgress } from '../core/messages/progress.ts';
import { WITHOUT_STREAM } from '../core/messages/stream.ts';
import { Backoff } from '../core/time/backoff.ts';
import { type Cancel, systemClock } from '../core/time/clock.ts';
import { type Execution, streamOf } from '../runtime/execution.ts';
import { ExecutionTable } from '../runtime/execution-table.ts';
import type { RuntimeLink, ServiceHost } from '../runtime/service-node.ts';
import { type Flushable, flushAtEndOfTurn } from '../transport/link/turn.ts';
import type { Announcement } from '../wire/control.ts';
import { HELLO_BACKOFF } from './router-link-options.ts';

/** Callbacks of a link to the worker. */
export interface EmbeddedLinkOwner extends ServiceHost {
  embeddedRouterAnswered(refusal: string | undefined): void;
}

const NOTHING_IN_FLIGHT: InFlight = { cancel: () => undefined, ...WITHOUT_STREAM };

/** A request of this link in flight. */
class Assignment implements CallSource {
  execution: Execution | undefined = undefined;
  /** A reply that arrived before the request was handed over, at the end of the turn. */
  early: ReplyMessage | undefined = undefined;

  constructor(
    private readonly link: EmbeddedLink,
    private readonly id: number,
    readonly generation: number,
  ) {}

  call(message: RequestMessage, depth: number, settle: Settle): Cancellable {
    const { id, generation } = this;
    return this.link.call(message, { id, generation, depth }, settle);
  }

  stream(message: RequestMessage, depth: number, settle: Settle, port: StreamPort): InFlight {
    const { id, generation } = this;
    return this.link.stream(message, { id, generation, depth }, settle, port);
  }
}

/** A call of a handler. The router must not be called back while it dispatches or cancels. */
class EmbeddedCall implements Cancellable, Flushable {
  protected cancelled = false;
  protected inFlight: InFlight | undefined;

  constructor(private readonly send: () => InFlight) {
    flushAtEndOfTurn(this);
  }

  cancel(): void {
    if (this.cancelled) return;
    this.cancelled = true;
    if (this.inFlight !== undefined) flushAtEndOfTurn(this);
  }

  flush(): void {
    if (this.cancelled) this.inFlight?.cancel();
    else this.inFlight ??= this.send();
  }
}

/** A call with a stream: its grants and chunks, too, reach the router at the end of the turn. */
class EmbeddedStreamCall extends EmbeddedCall implements InFlight {
  private granted = 0;
  private chunks: { readonly body: Buffer; readonly end: boolean }[] = [];

  grant(bytes: number): void {
    if (this.granted === 0) flushAtEndOfTurn(this);
    this.granted += bytes;
  }

  sendChunk(body: Buffer, end: boolean): void {
    if (this.chunks.push({ body, end }) === 1) flushAtEndOfTurn(this);
  }

  override flush(): void {
    super.flush();
    const { granted, chunks } = this;
    this.granted = 0;
    this.chunks = [];
    if (this.cancelled) return;
    if (granted > 0) this.inFlight?.grant(granted);
    for (const { body, end } of chunks) this.inFlight?.sendChunk(body, end);
  }
}

/** The worker of an {@link EmbeddedLink}. */
export interface EmbeddedLinkOptions {
  /** Identity of the node. */
  readonly id: string;
  readonly concurrency: number;
  readonly maxStreams: number;
  readonly announcement: Announcement;
}

export class EmbeddedLink implements RuntimeLink, EmbeddedWorker, Flushable {
  readonly monitor = undefined;
  readonly events: readonly string[] | undefined;
  readonly contract: EmbeddedWorker['contract'];
  readonly file: string | undefined;
  readonly host: string | undefined;
  private readonly assignments = new ExecutionTable<Assignment>(ROUTER_ID_SLOTS);
  private readonly backoff = new Backoff(HELLO_BACKOFF);
  private earlyIds: number[] = [];
  private cancelRetry: Cancel | undefined;
  private slot: EmbeddedSlot | undefined;

  readonly id: string;
  readonly concurrency: number;
  readonly maxStreams: number;

  constructor(
    { id, concurrency, maxStreams, announcement }: EmbeddedLinkOptions,
    private readonly router: EmbeddedRouter,
    private readonly owner: EmbeddedLinkOwner,
  ) {
    this.id = id;
    this.concurrency = concurrency;
    this.maxStreams = maxStreams;
    this.events = announcement.events;
    this.contract = announcement.contract;
    this.file = announcement.file;
    this.host = announcement.host;
  }

  /** Registers the worker at the router, and tries again later if the router rejects it. */
  open(): void {
    this.cancelRetry?.();
    const registered = this.router.register(this);
    if (typeof registered === 'string') {
      this.owner.embeddedRouterAnswered(registered);
      this.cancelRetry = systemClock.after(this.backoff.next(), () => this.open());
      return;
    }
    this.slot = registered;
    this.owner.embeddedRouterAnswered(undefined);
  }

  leave(): Promise<void> {
    this.stopRegistering();
    this.slot?.leave();
    return Promise.resolve();
  }

  close(): void {
    this.stopRegistering();
    this.slot?.lost();
    this.onClosed();
  }

  onRetry(): void {
    if (this.slot === undefined) this.open();
  }

  onRequest(id: number, generation: number, message: RequestMessage): void {
    const assignment = new Assignment(this, id, generation);
    this.assignments.set(id, assignment);
    let returned = false;
    const settle = (reply: ReplyMessage): void => {
      if (this.assignments.get(id) !== assignment) return;
      if (reply.more) {
        // The progress of a handler that answers at once is not needed.
        if (returned || !isProgress(reply)) this.slot?.reply(id, generation, reply);
      } else if (returned) this.answer(id, assignment, reply);
      else this.hold(id, assignment, reply);
    };
    const grant = (bytes: number): void => {
      if (this.assignments.get(id) === assignment) this.slot?.window(id, generation, bytes);
    };
    const stream = streamOf(message, (bytes) => {
      if (returned) grant(bytes);
      else queueMicrotask(() => grant(bytes));
    });
    assignment.execution = this.owner.execute(message, settle, assignment, stream);
    returned = true;
  }

  /** Sends a call of a handler at the end of the turn. */
  call(message: RequestMessage, parent: CallParent, settle: Settle): Cancellable {
    return new EmbeddedCall(() => {
      const { slot } = this;
      if (slot !== undefined) return slot.call(message, parent, settle);
      settle(failure('NO_ROUTER', 'the router of this process has closed'));
      return NOTHING_IN_FLIGHT;
    });
  }

  /** Sends a call with a stream; see `call`. */
  stream(message: RequestMessage, parent: CallParent, settle: Settle, port: StreamPort): InFlight {
    return new EmbeddedStreamCall(() => {
      const { slot } = this;
      if (slot !== undefined) return slot.call(message, parent, settle, port);
      settle(failure('NO_ROUTER', 'the router of this process has closed'));
      return NOTHING_IN_FLIGHT;
    });
  }

  onCancel(id: number, generation: number, why: CancelReason): void {
    this.assignments.cancel(id, generation, why);
  }

  onChunk(id: number, generation: number, body: Buffer, end: boolean): void {
    this.assignments.chunk(id, generation, body, end);
  }

  onWindow(id: number, generation: number, bytes: number): void {
    this.assignments.window(id, generation, bytes);
  }

  onClosed(): void {
    this.slot = undefined;
    for (const { execution } of this.assignments.values()) execution?.cancel('lost');
    this.assignments.clear();
  }

  /** Delivers the replies of handlers that answered immediately. */
  flush(): void {
    const ids = this.earlyIds;
    this.earlyIds = [];
    for (const id of ids) {
      const assignment = this.assignments.get(id);
      if (assignment?.early !== undefined) this.answer(id, assignment, assignment.early);
    }
  }

  /** Stops trying to register. */
  private stopRegistering(): void {
    this.cancelRetry?.();
    this.router.withdraw(this);
  }

  private hold(id: number, assignment: Assignment, reply: ReplyMessage): void {
    assignment.early = reply;
    if (this.earlyIds.push(id) === 1) flushAtEndOfTurn(this);
  }

  private answer(id: number, { generation }: Assignment, reply: ReplyMessage): void {
    this.assignments.delete(id);
    this.slot?.reply(id, generation, reply);
  }
}
