/**
 * The calls that handlers of a worker send to routers, over the connections on which the routers
 * dispatch requests. A call goes to the router that dispatched the request of its handler, or to
 * another one if that router takes no calls, shuts down, or has no worker for the event.
 */
import { SlotTable, type Slotted } from '../core/collections/slot-table.ts';
import type { CallParent } from '../core/messages/calls.ts';
import type { CancelReason } from '../core/messages/cancel-reason.ts';
import { connectionLoss } from '../core/messages/connection-loss.ts';
import {
  type Cancellable,
  failure,
  type InFlight,
  type ReplyMessage,
  type RequestMessage,
  type Settle,
  type StreamPort,
  settleSafely,
} from '../core/messages/message.ts';
import { isProgress } from '../core/messages/progress.ts';
import { redispatchedReply } from '../core/messages/redispatched-reply.ts';
import { wholeMessage } from '../core/messages/stream.ts';
import { type Clock, systemClock } from '../core/time/clock.ts';

/** Maximum number of calls in flight, over all connections of a worker. */
const MAX_IN_FLIGHT = 10_000;

/** How often an idempotent call is sent if its connections are lost. */
const MAX_ATTEMPTS = 2;

/** A connection to a router, as calls see it. */
export interface CallLink {
  readonly endpoint: string;
  /** Whether the connection is established. */
  readonly connected: boolean;
  /** Whether the router accepted the worker and takes its calls. */
  readonly takesCalls: boolean;
  /** Whether the router takes calls with streams, too. */
  readonly takesCallStreams: boolean;
  sendCall(id: number, generation: number, message: RequestMessage, parent: CallParent): void;
  cancelCall(id: number, generation: number, why: CancelReason): void;
  /** Sends a chunk of the body of a call. */
  sendCallChunk(id: number, generation: number, body: Buffer, end: boolean): void;
  /** Lets the router send `bytes` more of the reply to a call. */
  grantCall(id: number, generation: number, bytes: number): void;
}

/** A call in flight. */
class PendingCall implements Slotted {
  id = 0;
  generation = 0;
  link: CallLink | undefined;
  /** How often it was sent and may have run. */
  attempts = 0;
  /** Connections whose routers rejected it without running it. */
  readonly tried = new Set<CallLink>();
  /** Receives the reply as a stream. */
  stream: StreamPort | undefined = undefined;
  /** Whether a chunk of the reply has arrived, or one of the body may have been sent. */
  flows = false;

  constructor(
    readonly message: RequestMessage,
    /** The connection on which the request of the handler arrived, and its key there. */
    readonly origin: CallLink,
    readonly parent: CallParent,
    readonly deadline: number,
    readonly settle: Settle,
  ) {}
}

export class WorkerCalls {
  private readonly pending = new SlotTable<PendingCall>();

  /** @param links returns the connections to routers. */
  constructor(
    private readonly links: () => Iterable<CallLink>,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Number of calls in flight. */
  get size(): number {
    return this.pending.size;
  }

  /**
   * Sends a call.
   *
   * @param origin the connection on which the request of the handler arrived.
   * @param parent key of that request on the connection.
   */
  start(origin: CallLink, parent: CallParent, message: RequestMessage, settle: Settle): Cancellable {
    const call = this.newCall(origin, parent, message, settle);
    this.submit(call);
    return { cancel: () => this.cancel(call) };
  }

  /** Sends a call whose reply, or whose body, is a stream; see `start`. */
  startStream(
    origin: CallLink,
    parent: CallParent,
    message: RequestMessage,
    settle: Settle,
    stream: StreamPort,
  ): InFlight {
    const call = this.newCall(origin, parent, message, settle);
    call.stream = stream;
    this.submit(call);
    return {
      cancel: () => this.cancel(call),
      grant: (bytes) => {
        if (this.isPending(call)) call.link?.grantCall(call.id, call.generation, bytes);
      },
      sendChunk: (body, end) => {
        if (this.isPending(call)) call.link?.sendCallChunk(call.id, call.generation, body, end);
      },
    };
  }

  /** Handles a reply. Returns why it is dropped, if no call waits for it on that connection. */
  replied(
    link: CallLink,
    id: number,
    generation: number,
    reply: ReplyMessage,
  ): 'late-reply' | 'foreign-reply' | undefined {
    const call = this.pending.get(id, generation);
    if (call?.link !== link) return this.pending.wasIssued(id, generation) ? 'late-reply' : 'foreign-reply';
    if (reply.more) {
      if (isProgress(reply)) {
        if (call.message.progress === true) settleSafely(call.settle, reply);
        return undefined;
      }
      if (call.stream === undefined) return undefined;
      call.flows = true;
      call.stream.onChunk(reply);
      return undefined;
    }
    if (isRejection(reply) && call.attempts === 1) {
      call.tried.add(link);
      const other = this.linkFor(call);
      if (other !== undefined) {
        call.attempts -= 1;
        this.send(call, other);
        return undefined;
      }
    }
    this.pending.remove(call);
    settleSafely(call.settle, redispatchedReply(reply, call.attempts > 1));
    return undefined;
  }

  /** The router of a connection takes `bytes` more of the body of a call. */
  granted(link: CallLink, id: number, generation: number, bytes: number): void {
    const call = this.pending.get(id, generation);
    if (call?.link !== link || call.stream === undefined) return;
    call.flows = true;
    call.stream.onWindow(bytes);
  }

  /** A connection is lost, and with it the replies to the calls on it. */
  linkLost(link: CallLink): void {
    for (const call of this.pending.values()) if (call.link === link) this.lost(call, link);
  }

  private lost(call: PendingCall, link: CallLink): void {
    call.tried.add(link);
    const again = call.message.idempotent && call.attempts < MAX_ATTEMPTS && call.deadline > this.clock.now();
    const other = again && !call.flows ? this.linkFor(call) : undefined;
    if (other !== undefined) {
      this.send(call, other);
      return;
    }
    this.pending.remove(call);
    const text = `the connection to ${link.endpoint} was lost while the call was in flight`;
    settleSafely(call.settle, connectionLoss('WORKER_LOST', text, true));
  }

  private newCall(
    origin: CallLink,
    parent: CallParent,
    message: RequestMessage,
    settle: Settle,
  ): PendingCall {
    const deadline = this.clock.now() + message.timeLeft;
    return new PendingCall(message, origin, parent, deadline, settle);
  }

  /** Sends a call, or settles it if there is no connection for it. */
  private submit(call: PendingCall): void {
    const link = this.linkFor(call);
    if (link === undefined) return settleSafely(call.settle, this.unavailable(call.message));
    if (this.pending.size >= MAX_IN_FLIGHT) return settleSafely(call.settle, TOO_MANY);
    this.pending.add(call);
    this.send(call, link);
  }

  private isPending(call: PendingCall): boolean {
    return this.pending.get(call.id, call.generation) === call;
  }

  private linkFor({ origin, tried, message }: PendingCall): CallLink | undefined {
    const takes = (link: CallLink): boolean =>
      !tried.has(link) && link.takesCalls && (message.upload !== true || link.takesCallStreams);
    if (takes(origin)) return origin;
    for (const link of this.links()) if (takes(link)) return link;
    return undefined;
  }

  private send(call: PendingCall, link: CallLink): void {
    const { id, generation, message, parent, origin } = call;
    call.link = link;
    call.attempts += 1;
    message.timeLeft = Math.max(1, call.deadline - this.clock.now());
    // The key of the handler's request means nothing to another router.
    const known = link === origin ? parent : { ...parent, id: 0, generation: 0 };
    link.sendCall(id, generation, link.takesCallStreams ? message : wholeMessage(message), known);
  }

  private cancel(call: PendingCall): void {
    const { id, generation, link } = call;
    if (this.pending.remove(call)) link?.cancelCall(id, generation, 'cancelled');
  }

  private unavailable({ eventName, upload }: RequestMessage): ReplyMessage {
    const what = `cannot call ${JSON.stringify(eventName)}`;
    const connected = [...this.links()].filter((link) => link.connected);
    if (connected.length === 0) return failure('NO_ROUTER', `${what}: the worker is connected to no router`);
    const endpoints = connected.map(({ endpoint }) => endpoint).join(', ');
    if (upload === true && connected.some(({ takesCalls }) => takesCalls)) {
      const text = `${what}: the router at ${endpoints} takes no calls with a body that is sent as a stream`;
      return failure('STREAMS_UNSUPPORTED', text);
    }
    return failure(
      'CALLS_UNSUPPORTED',
      `${what}: the router at ${endpoints} takes no calls of workers; connect the worker to a ` +
        'ZeroMQRouter of this version, and not to a classic router or a ZeroMQRoutingProxy',
    );
  }
}

const TOO_MANY = failure('BUSY', `the worker has ${MAX_IN_FLIGHT} calls in flight, the maximum`);

/** Whether a router rejected a call for a reason that may not apply to others. */
function isRejection({ code, dispatched }: ReplyMessage): boolean {
  return !dispatched && (code === 'NO_WORKER' || code === 'SHUTTING_DOWN');
}
