/**
 * A peer of the backend: exchanges packed messages with native workers, classic frames with
 * metadata with native workers that do not pack, and classic frames with classic workers.
 */

import { hasHelloMark, identityOf, nodeIdOf } from '../../core/identity/identity.ts';
import { workerName } from '../../core/identity/worker-name.ts';
import type { CallParent } from '../../core/messages/calls.ts';
import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import { failure, NO_BYTES, type ReplyMessage, type RequestMessage } from '../../core/messages/message.ts';
import { wholeMessage } from '../../core/messages/stream.ts';
import type { DropCause } from '../../core/observability/diagnostics.ts';
import type { Cancel } from '../../core/time/clock.ts';
import type { AuthenticatedPeer } from '../../transport/curve/authenticated-peer.ts';
import type { ChannelOwner, Messages, PeerChannel } from '../../transport/link/peer-channel.ts';
import { requestFrames } from '../../wire/classic.ts';
import { type ControlName, cancelFrames, controlFrames, type Hello } from '../../wire/control.ts';
import { isClassicJson } from '../../wire/json-check.ts';
import type { PackedSink } from '../../wire/packed.ts';
import { encodeToken } from '../../wire/token.ts';
import type { RouterRequest } from '../broker/request.ts';
import type { Worker, WorkerDescription, WorkerPort } from '../broker/worker.ts';
import { contractOf, type ReadAnnouncement } from './announcement.ts';
import type { CallHandler } from './call-handler.ts';
import type { ContractHold } from './contract-versions.ts';
import { HelloBudget } from './hello-budget.ts';
import type { PeerCalls } from './peer-calls.ts';
import type { AudibleWorker } from './silent-workers.ts';

/** Callbacks of a peer. */
export interface WorkerPeerOwner {
  /** Takes the calls of its handlers. */
  readonly calls: CallHandler;
  replied(peer: WorkerPeer, id: number, generation: number, reply: ReplyMessage): void;
  /** The peer takes `bytes` more of the body of a request. */
  granted(peer: WorkerPeer, id: number, generation: number, bytes: number): void;
  /** The peer is not connected; `unsent` was never sent. */
  lost(peer: WorkerPeer, unsent: Messages): void;
  /** The peer is connected but accepts no messages; `unsent` was never sent. */
  stalled(peer: WorkerPeer, unsent: Messages): void;
  writable(peer: WorkerPeer): void;
  drop(cause: DropCause, peer: string | undefined): void;
}

/** A contract that is being checked in slices. */
export interface ContractCheck {
  readonly abort: AbortController;
  /** The latest hello that announced it. */
  hello: Hello;
}

export class WorkerPeer implements WorkerPort, PackedSink, ChannelOwner, AudibleWorker {
  heard = true;
  silent = 0;
  /** Its worker in the broker; undefined while it is unidentified, refused, leaving or lost. */
  worker: Worker | undefined;
  /** Whether it is a native worker: it sent a hello, or its routing id promises one. */
  native: boolean;
  /** Whether it exchanges packed messages, by its hello. */
  packs = false;
  /** Whether it takes and sends streams, by its hello. */
  streams = false;
  /** Whether it said in its hello that its handlers may call events. */
  mayCall = false;
  /** The calls of its handlers; set with the first one. */
  calls: PeerCalls | undefined;
  /** Identity from its hello; the same after it reconnects from another address. */
  node: string | undefined;
  /** Number of its connection, from its hello. */
  connection: number | undefined;
  /** Whether it was asked for a hello and has not sent one yet. */
  helloRequested = false;
  /** Whether it said goodbye. */
  leaving = false;
  /** Whether it was refused because its key allows no event to a classic worker. */
  classicRefused = false;
  /** The contract that it announced. */
  contract: ContractHold | undefined;
  /** The check of the contract that it announced; the worker joins once it succeeds. */
  check: ContractCheck | undefined;
  /**
   * Whether its contract was refused. It is asked for a hello again when another contract is
   * released.
   */
  contractRefused = false;
  /** Timer of the wait for its hello. */
  helloTimer: Cancel | undefined;
  /** Limit on its hellos. */
  readonly helloBudget = new HelloBudget();
  /** Cancels a delayed hello. */
  delayedHello: Cancel | undefined;
  /** Its last valid hello and the digest of its bytes. An identical hello is not parsed again. */
  lastHello: { readonly hello: Hello; readonly digest: string } | undefined;
  /** What it announced, whether it joined or not. */
  announced: ReadAnnouncement | undefined;
  readonly channel: PeerChannel;
  /** Identity from its routing id. */
  private readonly addressIdentity: string;

  /**
   * @param address routing id of its connection, in Latin-1.
   * @param authenticated who it is by its key, where the router asks for keys.
   */
  constructor(
    readonly address: string,
    makeChannel: (owner: WorkerPeer) => PeerChannel,
    private readonly owner: WorkerPeerOwner,
    readonly authenticated: AuthenticatedPeer | undefined,
  ) {
    this.native = hasHelloMark(address);
    this.addressIdentity = identityOf(address);
    this.channel = makeChannel(this);
  }

  get pings(): boolean {
    return this.lastHello?.hello.ping === 1;
  }

  get holds(): boolean {
    return this.worker !== undefined && this.worker.held > 0;
  }

  ping(): void {
    this.control('$ping', {});
  }

  /** Identity of the peer; the same after it reconnects. */
  get key(): string {
    return this.node ?? this.addressIdentity;
  }

  /** Node id from its routing id; the same after its process restarts, if it is stored. */
  get nodeId(): string {
    return nodeIdOf(this.addressIdentity);
  }

  /** Name for people. */
  get name(): string {
    const { contract, file, host } = this.lastHello?.hello ?? {};
    return workerName(this.key, { contract: contract?.name, file, host, classic: !this.native });
  }

  dispatch(request: RouterRequest): boolean {
    if (!this.channel.writable) return false;
    if (request.stream !== undefined && !this.streams) this.dispatchWhole(request);
    else if (this.packs) this.channel.addRequest(request.id, request.generation, request.message);
    else if (this.native) this.dispatchPlain(request);
    else this.dispatchClassic(request);
    return true;
  }

  sendWindow(id: number, generation: number, bytes: number): void {
    if (this.streams) this.channel.addWindow(id, generation, bytes);
  }

  sendChunk(id: number, generation: number, body: Buffer, end: boolean): void {
    this.channel.addChunk(id, generation, body, end);
  }

  cancel(id: number, generation: number, why: CancelReason): void {
    if (this.packs) this.channel.addCancel(id, generation, why);
    else this.channel.post(cancelFrames(id, generation, why));
  }

  describe(): WorkerDescription {
    const { lastHello, announced, authenticated } = this;
    const key = authenticated?.permissions.name;
    const { host, zone } = lastHello?.hello ?? {};
    return {
      ...(host !== undefined && { host }),
      ...(zone !== undefined && { zone }),
      ...lastHello?.hello.origin,
      ...contractOf(announced),
      ...(key !== undefined && { key }),
    };
  }

  requestCredit(): void {
    this.control('$want', {});
  }

  /** Sends a control message after all requests dispatched before. */
  control(name: ControlName, data: object): void {
    this.channel.flush();
    this.channel.post(controlFrames(name, data));
  }

  packedReply(id: number, generation: number, reply: ReplyMessage): void {
    this.owner.replied(this, id, generation, reply);
  }

  packedWindow(id: number, generation: number, bytes: number): void {
    this.owner.granted(this, id, generation, bytes);
  }

  packedRequest(): void {
    this.owner.drop('foreign-reply', this.key);
  }

  packedCall(id: number, generation: number, message: RequestMessage, parent: CallParent): void {
    if (this.mayCall) this.owner.calls.request(this, id, generation, message, parent);
    else this.owner.drop('foreign-reply', this.key);
  }

  packedChunk(id: number, generation: number, body: Buffer, end: boolean): void {
    if (!this.mayCall) return this.owner.drop('foreign-reply', this.key);
    const drop = this.calls?.chunk(id, generation, body, end);
    if (drop !== undefined) this.owner.drop(drop, this.key);
  }

  packedCallWindow(id: number, generation: number, bytes: number): void {
    if (this.mayCall) this.calls?.grant(id, generation, bytes);
    else this.owner.drop('foreign-reply', this.key);
  }

  callReply(id: number, generation: number, reply: ReplyMessage): void {
    this.channel.addReply(id, generation, reply);
  }

  callWindow(id: number, generation: number, bytes: number): void {
    this.channel.addCallWindow(id, generation, bytes);
  }

  packedCancel(id: number, generation: number, why: CancelReason): void {
    if (this.mayCall) this.calls?.cancel(id, generation, why);
    else this.owner.drop('foreign-reply', this.key);
  }

  channelGone(unsent: Messages): void {
    this.owner.lost(this, unsent);
  }

  channelStalled(unsent: Messages): void {
    this.owner.stalled(this, unsent);
  }

  channelWritable(): void {
    this.owner.writable(this);
  }

  /** Sends a request whose reply may be a stream to a worker that takes none: the reply is whole. */
  private dispatchWhole(request: RouterRequest): void {
    const { id, generation, message } = request;
    if (message.upload === true) {
      const text = `the worker ${this.key} takes no request bodies that are sent as streams`;
      const refusal = failure('STREAMS_UNSUPPORTED', text);
      queueMicrotask(() => this.owner.replied(this, id, generation, refusal));
    } else if (this.packs) this.channel.addRequest(id, generation, wholeMessage(message));
    else if (this.native) this.dispatchPlain(request);
    else this.dispatchClassic(request);
  }

  /** Sends classic frames with metadata to a native worker that does not pack. */
  private dispatchPlain({ id, generation, message }: RouterRequest): void {
    this.channel.post([encodeToken(id, generation), NO_BYTES, ...requestFrames(message, false)]);
  }

  /** Sends only data that classic workers can read: they drop everything else without a reply. */
  private dispatchClassic(request: RouterRequest): void {
    const { id, generation, message } = request;
    if (isClassicJson(message.body)) {
      this.channel.post([
        encodeToken(id, generation),
        NO_BYTES,
        Buffer.from(message.eventName),
        message.body,
      ]);
      return;
    }
    const reply = failure('MALFORMED_MESSAGE', 'the event data is not JSON that a classic worker can read');
    queueMicrotask(() => this.owner.replied(this, id, generation, reply));
  }
}
