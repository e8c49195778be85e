/**
 * A worker's link to one router. It sends a hello whenever the connection is established, passes
 * requests to the node, and sends each reply in the form of its request. A classic router never
 * answers the hello; its requests arrive in classic frames, and the replies use them too.
 */
import { ROUTER_ID_SLOTS } from '../core/collections/id-map.ts';
import { withHelloMark } from '../core/identity/identity.ts';
import type { CancelReason } from '../core/messages/cancel-reason.ts';
import { isReserved } from '../core/messages/event-name.ts';
import { failure, type ReplyMessage, type RequestMessage } from '../core/messages/message.ts';
import type { DropCause } from '../core/observability/diagnostics.ts';
import { Backoff } from '../core/time/backoff.ts';
import { type Cancel, systemClock } from '../core/time/clock.ts';
import { streamOf } from '../runtime/execution.ts';
import { ExecutionTable } from '../runtime/execution-table.ts';
import type { RuntimeLink, ServiceHost } from '../runtime/service-node.ts';
import type { ZeroMQSocketMonitor } from '../transport/libzmq/socket-monitor.ts';
import { DealerLink, type DealerLinkOwner } from '../transport/link/dealer-link.ts';
import type { Messages } from '../transport/link/peer-channel.ts';
import {
  CONTROL_ADDRESS,
  controlData,
  controlFrames,
  type Hello,
  isControl,
  readCredit,
} from '../wire/control.ts';
import { isPacked, type PackedSink, readPacked } from '../wire/packed.ts';
import { Assignment, type AssignmentOwner } from './assignment.ts';
import { type ClassicRequestSink, readClassicRequest } from './classic-request.ts';
import type { Share } from './credit-sharing.ts';
import { Goodbye } from './goodbye.ts';
import { HelloAnswer } from './hello-answer.ts';
import { RouterCallLink } from './router-call-link.ts';
import { HELLO_BACKOFF, type RouterLinkOptions } from './router-link-options.ts';

/** Callbacks of a link to the worker. */
export interface RouterLinkOwner extends ServiceHost, AssignmentOwner {
  /** Whether the hello of a link reports that the worker was refused. */
  reportsRefusal(link: RouterLink): boolean;
  linkConnected(link: RouterLink): void;
  linkDisconnected(link: RouterLink): void;
  /**
   * Called when the router accepted or rejected the worker.
   * @param refusal why the router rejected the worker; undefined if it accepted it
   * @param router identity of the router that accepted the worker
   */
  linkAnswered(link: RouterLink, refusal: string | undefined, router?: string): void;
}

export class RouterLink implements RuntimeLink, DealerLinkOwner, PackedSink, ClassicRequestSink {
  private readonly link: DealerLink;
  private readonly assignments = new ExecutionTable<Assignment>(ROUTER_ID_SLOTS);
  private readonly backoff = new Backoff(HELLO_BACKOFF);
  readonly helloAnswer = new HelloAnswer();
  /** Share of the established connection. */
  private share: Share | undefined;
  /** Requests in flight, including those of lost connections and those in classic frames. */
  private inFlight = 0;
  private onIdle: (() => void) | undefined;
  private readonly goodbye = new Goodbye();
  private left: Promise<void> | undefined;
  private cancelRetry: Cancel | undefined;
  private connections = 0;
  connected = false;
  /** The calls of handlers over this connection. */
  readonly callLink: RouterCallLink;
  private stopping = false;

  constructor(
    private readonly options: RouterLinkOptions,
    private readonly owner: RouterLinkOwner,
  ) {
    const { identity, nodeId } = options.identity;
    const ids = { identity: withHelloMark(identity), nodeId: withHelloMark(nodeId) };
    this.link = new DealerLink({ ...options, ...ids }, this);
    this.callLink = new RouterCallLink(this.link, this.helloAnswer, this);
  }

  get endpoint(): string {
    return this.link.endpoint;
  }

  /** Monitor of the socket. */
  get monitor(): ZeroMQSocketMonitor {
    return this.link.socket.monitor;
  }

  /** Connects, and reconnects whenever the connection is lost. */
  open(): void {
    this.link.open();
    if (this.link.inproc) this.linkUp();
  }

  leave(signal: AbortSignal): Promise<void> {
    this.left ??= this.sayGoodbye(signal);
    return this.left;
  }

  /** Leaves the router permanently. Resolves when all requests that it dispatched are answered. */
  async retire(signal: AbortSignal): Promise<void> {
    await this.leave(signal);
    if (this.inFlight === 0) return;
    await new Promise<void>((resolve) => {
      this.onIdle = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Says goodbye, and waits until a router that accepted the worker has confirmed it. */
  private async sayGoodbye(signal: AbortSignal): Promise<void> {
    this.stopping = true;
    this.cancelRetry?.();
    if (this.helloAnswer.accepted) {
      this.link.channel.post(controlFrames('$bye', {}));
      await this.goodbye.wait(signal);
    }
    this.closeShare();
  }

  close(): void {
    this.cancelRetry?.();
    this.closeShare();
    this.link.channel.flush();
    const settled = this.goodbye.confirmed && this.assignments.size === 0;
    if (this.helloAnswer.accepted && !settled) this.link.channel.post(controlFrames('$gone', {}));
    this.link.socket.close();
    this.link.channel.close();
  }

  linkUp(): void {
    if (this.connected || this.link.socket.renewing) return;
    this.connected = true;
    this.connections += 1;
    if (!this.stopping) this.openShare();
    this.owner.linkConnected(this);
    this.sayHello();
  }

  linkDown(): void {
    this.link.renew();
    if (!this.connected) return;
    this.connected = false;
    this.helloAnswer.disconnected();
    this.cancelRetry?.();
    this.closeShare();
    const lost = [...this.assignments.values()];
    this.assignments.clear();
    for (const { execution } of lost) execution?.cancel('lost');
    this.owner.calls.linkLost(this.callLink);
    this.goodbye.connectionLost();
    this.owner.linkDisconnected(this);
  }

  message(frames: Buffer[]): void {
    const first = frames[0];
    if (first === undefined) return;
    if (isPacked(first)) {
      if (!readPacked(frames, 0, this)) this.link.drop('bad-batch');
    } else if (isControl(frames, 0)) this.control(frames);
    else readClassicRequest(frames, this);
  }

  packedRequest(id: number, generation: number, message: RequestMessage): void {
    const assignment = new Assignment(this.callLink, this.owner, this.share, id, generation);
    this.assignments.set(id, assignment);
    this.run(message, assignment, (reply) => {
      // The reply of a request cannot be sent after its connection is lost; the router has already
      // settled the request.
      if (this.assignments.get(id) !== assignment) return;
      if (!reply.more) this.assignments.delete(id);
      this.link.channel.addReply(id, generation, reply);
    });
  }

  packedChunk(id: number, generation: number, body: Buffer, end: boolean): void {
    this.assignments.chunk(id, generation, body, end);
  }

  packedWindow(id: number, generation: number, bytes: number): void {
    this.assignments.window(id, generation, bytes);
  }

  packedCallWindow(id: number, generation: number, bytes: number): void {
    this.owner.calls.granted(this.callLink, id, generation, bytes);
  }

  packedReply(id: number, generation: number, reply: ReplyMessage): void {
    const drop = this.owner.calls.replied(this.callLink, id, generation, reply);
    if (drop !== undefined) this.link.drop(drop);
  }

  packedCancel(id: number, generation: number, why: CancelReason): void {
    this.assignments.cancel(id, generation, why);
  }

  channelGone(): void {
    // The socket is closed; later replies cannot be sent.
  }

  channelStalled(unsent: Messages): void {
    const { endpoint: router } = this;
    this.owner.logger.error(
      { router, messages: unsent.length },
      'the router does not read its replies; unsent replies were dropped',
    );
  }

  channelWritable(): void {
    // Replies wait in the channel; nothing else is held back.
  }

  private sayHello(): void {
    this.cancelRetry?.();
    if (this.stopping) {
      // Routers that do not recognise the mark in the routing id would mistake a worker that sends
      // nothing for a classic one.
      this.link.channel.post(controlFrames('$bye', {}));
      return;
    }
    const { share = this.openShare(), connections: connection } = this;
    const { identity: node } = this.options.identity;
    share.confirmed = false;
    const refused = this.owner.reportsRefusal(this) || undefined;
    const hello: Hello = { ...this.options.hello, concurrency: share.granted, node, connection, refused };
    this.link.channel.post(controlFrames('$hello', hello));
  }

  private openShare(): Share {
    this.share = this.owner.credit.open((concurrency) => {
      this.link.channel.post(controlFrames('$credit', { concurrency }));
    });
    return this.share;
  }

  private closeShare(): void {
    if (this.share !== undefined) this.owner.credit.close(this.share);
    this.share = undefined;
  }

  /** Runs a request and counts it for the connection on which it arrived. */
  private run(message: RequestMessage, assignment: Assignment, settle: (reply: ReplyMessage) => void): void {
    const { share } = this;
    const { credit } = this.owner;
    this.inFlight += 1;
    if (share !== undefined) credit.requestStarted(share);
    const ended = (reply: ReplyMessage): void => {
      settle(reply);
      if (reply.more) return assignment.partSent(reply);
      assignment.ended();
      this.inFlight -= 1;
      if (this.inFlight === 0) this.onIdle?.();
      if (share !== undefined) credit.requestEnded(share);
    };
    const { id, generation } = assignment;
    const stream = streamOf(message, (bytes) => {
      if (this.assignments.get(id) === assignment) this.link.channel.addWindow(id, generation, bytes);
    });
    assignment.execution = this.owner.execute(message, ended, assignment, stream);
  }

  private control(frames: Buffer[]): void {
    const name = frames[2]?.toString();
    const data = controlData(frames[3]);
    if (data === undefined) return this.link.drop('bad-control');
    if (name === '$welcome') this.welcomed(data);
    else if (name === '$credit') this.creditConfirmed(readCredit(data));
    else if (name === '$want') this.creditRequested();
    else if (name === '$ping') this.link.channel.post(controlFrames('$pong', {}));
    else if (name === '$refused')
      this.refused(typeof data.reason === 'string' ? data.reason : 'no reason given');
    else if (name === '$bye') this.goodbyeReceived();
    else if (name === '$who') this.sayHello();
    else this.link.drop('bad-control');
  }

  private welcomed(data: Record<string, unknown>): void {
    const { router } = data;
    this.helloAnswer.welcomed(data);
    this.backoff.reset();
    if (this.share !== undefined) this.owner.credit.confirmed(this.share);
    this.owner.linkAnswered(this, undefined, typeof router === 'string' ? router : undefined);
  }

  private creditConfirmed(concurrency: number | undefined): void {
    if (concurrency === undefined) return this.link.drop('bad-control');
    // If the values differ, the answer is to an earlier announcement; the answer to the last one is
    // still in transit.
    if (concurrency === this.share?.granted) this.owner.credit.confirmed(this.share);
  }

  private creditRequested(): void {
    if (this.share !== undefined) this.owner.credit.moreWanted(this.share);
  }

  private refused(reason: string): void {
    this.helloAnswer.record('refused');
    this.closeShare();
    this.cancelRetry?.();
    this.cancelRetry = systemClock.after(this.backoff.next(), () => this.sayHello());
    this.owner.linkAnswered(this, reason);
  }

  /** The router dispatches nothing further: it confirms the worker's goodbye, or stops. */
  private goodbyeReceived(): void {
    if (this.stopping) this.goodbye.confirm();
    else if (this.link.inproc) void this.waitForSuccessor();
  }

  /**
   * Waits for the next router at an INPROC endpoint. libzmq reports nothing about INPROC peers and
   * does not reconnect to one; the hello is queued for the next router.
   */
  private async waitForSuccessor(): Promise<void> {
    await this.link.socket.waitForPeerExit([CONTROL_ADDRESS]);
    this.linkDown();
    this.link.reconnect();
    this.linkUp();
  }

  /** Runs a request in classic frames. */
  runClassic(message: RequestMessage, send: (reply: ReplyMessage) => void): void {
    const refusal = this.refusal(message.eventName);
    if (refusal === undefined)
      this.run(message, new Assignment(this.callLink, this.owner, this.share, 0, 0), send);
    else send(refusal);
  }

  post(frames: Buffer[]): void {
    this.link.channel.post(frames);
  }

  drop(cause: DropCause): void {
    this.link.drop(cause);
  }

  private refusal(eventName: string): ReplyMessage | undefined {
    if (this.stopping) return failure('SHUTTING_DOWN', 'the worker is shutting down');
    if (!isReserved(eventName)) return undefined;
    return failure('NO_HANDLER', 'event names that start with $ are reserved; a worker does not serve them');
  }
}
