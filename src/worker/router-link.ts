/**
 * A worker's link to one router. It sends a hello whenever the connection is established, passes
 * requests to the node, and sends each reply in the form of its request. A classic router never
 * answers the hello; its requests arrive in classic frames, and the replies use them too.
 */

import { IdMap, ROUTER_ID_SLOTS } from '../core/collections/id-map.ts';
import { withHelloMark } from '../core/identity/identity.ts';
import type { CancelReason } from '../core/messages/cancel-reason.ts';
import { isReserved } from '../core/messages/event-name.ts';
import { failure, NO_BYTES, type ReplyMessage, type RequestMessage } from '../core/messages/message.ts';
import { Backoff } from '../core/time/backoff.ts';
import { type Cancel, systemClock } from '../core/time/clock.ts';
import type { Execution } from '../runtime/execution.ts';
import type { RuntimeLink, ServiceHost } from '../runtime/service-node.ts';
import type { ZeroMQSocketMonitor } from '../transport/libzmq/socket-monitor.ts';
import { DealerLink, type DealerLinkOwner } from '../transport/link/dealer-link.ts';
import type { Messages } from '../transport/link/peer-channel.ts';
import { MalformedFrames, readClassic, replyFrames, toRequest } from '../wire/classic.ts';
import {
  CONTROL_ADDRESS,
  controlData,
  controlFrames,
  type Hello,
  isControl,
  readCredit,
} from '../wire/control.ts';
import { isPacked, type PackedSink, readPacked } from '../wire/packed.ts';

import type { CreditSharing, Share } from './credit-sharing.ts';
import { ASK_AGAIN, type RouterLinkOptions } from './router-link-options.ts';
import { Standing } from './standing.ts';

/** Callbacks of a link to the worker. */
export interface RouterLinkOwner extends ServiceHost {
  readonly credit: CreditSharing;
  /** Whether the hello of a link states that the worker was rejected. */
  wasRefused(link: RouterLink): boolean;
  linkConnected(link: RouterLink): void;
  linkDisconnected(link: RouterLink): void;
  /**
   * Called when the router accepted or rejected the worker.
   * @param refusal why the router rejected the worker; undefined if it accepted it
   * @param router identity of the router that accepted the worker
   */
  linkAnswered(link: RouterLink, refusal: string | undefined, router?: string): void;
}

/** A request of this link in flight. */
interface Assignment {
  readonly generation: number;
  execution: Execution | undefined;
}

/** How long a router that answered the hello has to answer the goodbye, in ms. */
const GOODBYE_WAIT = 1000;

export class RouterLink implements RuntimeLink, DealerLinkOwner, PackedSink {
  private readonly line: DealerLink;
  private readonly assignments = new IdMap<Assignment>(ROUTER_ID_SLOTS);
  private readonly backoff = new Backoff(ASK_AGAIN);
  readonly standing = new Standing();
  /** Share of the established connection. */
  private share: Share | undefined;
  /** Requests in flight, including those of lost connections and those in classic frames. */
  private held = 0;
  private onIdle: (() => void) | undefined;
  private goodbye: Promise<void> | undefined;
  private askAgain: Cancel | undefined;
  /** Number of connections so far. */
  private connections = 0;
  private up = false;
  /** The worker is stopping. */
  private departing = false;
  /** The router has acknowledged this and sends nothing further. */
  private excused = false;
  private onExcused: (() => void) | undefined;

  constructor(
    private readonly options: RouterLinkOptions,
    private readonly owner: RouterLinkOwner,
  ) {
    const { identity, nodeId } = options.identity;
    const ids = { identity: withHelloMark(identity), nodeId: withHelloMark(nodeId) };
    this.line = new DealerLink({ ...options, ...ids }, this);
  }

  get endpoint(): string {
    return this.line.endpoint;
  }

  /** Monitor of the socket. */
  get monitor(): ZeroMQSocketMonitor {
    return this.line.socket.monitor;
  }

  /** Connects, and reconnects whenever the connection is lost. */
  open(): void {
    this.line.open();
    if (this.line.inproc) this.lineUp();
  }

  leave(signal: AbortSignal): Promise<void> {
    this.goodbye ??= this.sayGoodbye(signal);
    return this.goodbye;
  }

  /** Leaves this router for good. Resolves when all requests it held are answered. */
  async retire(signal: AbortSignal): Promise<void> {
    await this.leave(signal);
    if (this.held === 0) return;
    await new Promise<void>((resolve) => {
      this.onIdle = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  private async sayGoodbye(signal: AbortSignal): Promise<void> {
    this.departing = true;
    this.askAgain?.();
    if (this.standing.accepted) await this.beExcused(signal);
    this.closeShare();
  }

  private async beExcused(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancelWait = systemClock.after(GOODBYE_WAIT, resolve);
      this.onExcused = () => {
        cancelWait();
        resolve();
      };
      signal.addEventListener('abort', this.onExcused, { once: true });
      this.line.channel.post(controlFrames('$bye', {}));
    });
  }

  close(): void {
    this.askAgain?.();
    this.closeShare();
    this.line.channel.flush();
    const settled = this.excused && this.assignments.size === 0;
    if (this.standing.accepted && !settled) this.line.channel.post(controlFrames('$gone', {}));
    this.line.socket.close();
    this.line.channel.close();
  }

  lineUp(): void {
    if (this.up || this.line.socket.renewing) return;
    this.up = true;
    this.connections += 1;
    if (!this.departing) this.openShare();
    this.owner.linkConnected(this);
    this.sayHello();
  }

  lineDown(): void {
    this.line.renew();
    if (!this.up) return;
    this.up = false;
    this.standing.disconnected();
    this.askAgain?.();
    this.closeShare();
    const lost = [...this.assignments.values()];
    this.assignments.clear();
    for (const { execution } of lost) execution?.cancel('lost');
    this.onExcused?.();
    this.owner.linkDisconnected(this);
  }

  message(frames: Buffer[]): void {
    const first = frames[0];
    if (first === undefined) return;
    if (isPacked(first)) {
      if (!readPacked(frames, 0, this)) this.line.drop('bad-batch');
    } else if (isControl(frames, 0)) this.control(frames);
    else this.classicRequest(frames);
  }

  packedRequest(id: number, generation: number, message: RequestMessage): void {
    const assignment: Assignment = { generation, execution: undefined };
    this.assignments.set(id, assignment);
    assignment.execution = this.run(message, (reply) => {
      // The reply of a request cannot be sent after its connection is lost; the router has already
      // settled the request.
      if (this.assignments.get(id) !== assignment) return;
      this.assignments.delete(id);
      this.line.channel.addReply(id, generation, reply);
    });
  }

  packedReply(): void {
    this.line.drop('foreign-reply');
  }

  packedCancel(id: number, generation: number, why: CancelReason): void {
    const assignment = this.assignments.get(id);
    if (assignment?.generation === generation) assignment.execution?.cancel(why);
  }

  channelGone(): void {
    // The socket is closed; later replies cannot be sent.
  }

  channelStalled(unsent: Messages): void {
    const { endpoint: router } = this;
    this.owner.logger.error(
      { router, messages: unsent.length },
      'the router takes no replies; some were dropped',
    );
  }

  channelWritable(): void {
    // Replies wait in the channel; nothing else is held back.
  }

  private sayHello(): void {
    this.askAgain?.();
    if (this.departing) {
      // Routers that do not recognise the mark in the routing id would mistake a worker that sends
      // nothing for a classic one.
      this.line.channel.post(controlFrames('$bye', {}));
      return;
    }
    const { share = this.openShare(), connections: connection } = this;
    const { identity: node } = this.options.identity;
    share.agreed = false;
    const refused = this.owner.wasRefused(this) || undefined;
    const hello: Hello = { ...this.options.hello, concurrency: share.granted, node, connection, refused };
    this.line.channel.post(controlFrames('$hello', hello));
  }

  private openShare(): Share {
    this.share = this.owner.credit.open((concurrency) => {
      this.line.channel.post(controlFrames('$credit', { concurrency }));
    });
    return this.share;
  }

  private closeShare(): void {
    if (this.share !== undefined) this.owner.credit.close(this.share);
    this.share = undefined;
  }

  /** Runs a request and charges it to the connection on which it arrived. */
  private run(message: RequestMessage, settle: (reply: ReplyMessage) => void): Execution {
    const { share } = this;
    const { credit } = this.owner;
    this.held += 1;
    if (share !== undefined) credit.began(share);
    return this.owner.execute(message, (reply) => {
      settle(reply);
      this.held -= 1;
      if (this.held === 0) this.onIdle?.();
      if (share !== undefined) credit.ended(share);
    });
  }

  private control(frames: Buffer[]): void {
    const name = frames[2]?.toString();
    const data = controlData(frames[3]);
    if (data === undefined) return this.line.drop('bad-control');
    if (name === '$welcome') this.accepted(typeof data.router === 'string' ? data.router : undefined);
    else if (name === '$credit') this.agreed(readCredit(data));
    else if (name === '$want') this.wanted();
    else if (name === '$refused')
      this.refused(typeof data.reason === 'string' ? data.reason : 'no reason given');
    else if (name === '$bye') this.dismissed();
    else if (name === '$who') this.sayHello();
    else this.line.drop('bad-control');
  }

  private accepted(router: string | undefined): void {
    this.standing.answered('accepted');
    this.backoff.reset();
    if (this.share !== undefined) this.owner.credit.agreed(this.share);
    this.owner.linkAnswered(this, undefined, router);
  }

  private agreed(concurrency: number | undefined): void {
    if (concurrency === undefined) return this.line.drop('bad-control');
    // If the values differ, the answer is to an earlier announcement; the answer to the last one is
    // still in transit.
    if (concurrency === this.share?.granted) this.owner.credit.agreed(this.share);
  }

  private wanted(): void {
    if (this.share !== undefined) this.owner.credit.wanted(this.share);
  }

  private refused(reason: string): void {
    this.standing.answered('refused');
    this.closeShare();
    this.askAgain?.();
    this.askAgain = systemClock.after(this.backoff.next(), () => this.sayHello());
    this.owner.linkAnswered(this, reason);
  }

  /** The router sends nothing further: the worker said goodbye, or the router stops. */
  private dismissed(): void {
    if (this.departing) {
      this.excused = true;
      this.onExcused?.();
    } else if (this.line.inproc) void this.waitForSuccessor();
  }

  /**
   * libzmq reports nothing about INPROC peers and does not reconnect to one. The hello waits for
   * the next router.
   */
  private async waitForSuccessor(): Promise<void> {
    await this.line.socket.outlivePeer([CONTROL_ADDRESS]);
    this.lineDown();
    this.line.reconnect();
    this.lineUp();
  }

  /** Handles a request in classic frames: the frames before the delimiter return unchanged. */
  private classicRequest(frames: Buffer[]): void {
    const classic = readClassic(frames, 0);
    if (classic instanceof MalformedFrames) {
      this.line.drop(classic.cause);
      if (classic.cause !== 'bad-event-name' || classic.envelope === undefined) return;
      const reply = failure('MALFORMED_MESSAGE', classic.message);
      this.line.channel.post([...classic.envelope, NO_BYTES, ...replyFrames('response', reply, 'none')]);
      return;
    }
    if (!classic.delimited || classic.envelope.length === 0) return this.line.drop('no-delimiter');
    const { message, native, broken } = toRequest(classic);
    if (broken) this.line.drop('bad-metadata');
    const { envelope, eventName } = classic;
    // A node in between only forwards frames. It must not receive packed messages merely because
    // this worker understands them.
    const send = (reply: ReplyMessage): void =>
      this.line.channel.post([
        ...envelope,
        NO_BYTES,
        ...replyFrames(eventName, reply, native ? 'plain' : 'none'),
      ]);
    const refusal = this.refusal(eventName);
    if (refusal === undefined) this.run(message, send);
    else send(refusal);
  }

  private refusal(eventName: string): ReplyMessage | undefined {
    if (this.departing) return failure('SHUTTING_DOWN', 'the worker is shutting down');
    if (!isReserved(eventName)) return undefined;
    return failure('NO_HANDLER', 'event names that start with $ are reserved, and a worker has none of them');
  }
}
