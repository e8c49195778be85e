/** A worker at the backend: speaks packed with ours and classic frames with the others. */

import { hasHelloMark, identityOf } from '../../core/identity/identity.ts';
import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import { failure, NO_BYTES, type ReplyMessage } from '../../core/messages/message.ts';
import type { DropCause } from '../../core/observability/diagnostics.ts';
import type { Cancel } from '../../core/time/clock.ts';
import type { AuthenticatedPeer } from '../../transport/curve/admission.ts';
import type { ChannelOwner, Messages, PeerChannel } from '../../transport/link/peer-channel.ts';
import { type ControlName, controlFrames, type Hello } from '../../wire/control.ts';
import { isClassicJson } from '../../wire/json-check.ts';
import type { PackedSink } from '../../wire/packed.ts';
import { encodeToken } from '../../wire/token.ts';
import type { RouterRequest } from '../broker/request.ts';
import type { Worker, WorkerPort } from '../broker/worker.ts';
import type { ReadAnnouncement } from './announcement.ts';
import type { ContractHold } from './contract-versions.ts';
import { HelloBudget } from './hello-budget.ts';

/** What a peer needs of the backend. */
export interface WorkerPeerOwner {
  replied(peer: WorkerPeer, id: number, generation: number, reply: ReplyMessage): void;
  /** A message found no connection; `unsent` never left. */
  lost(peer: WorkerPeer, unsent: Messages): void;
  /** It takes nothing, though its connection stands; `unsent` never left. */
  stalled(peer: WorkerPeer, unsent: Messages): void;
  writable(peer: WorkerPeer): void;
  drop(cause: DropCause, peer: string | undefined): void;
}

/** A contract that is being checked in slices. */
export interface ContractCheck {
  readonly abort: AbortController;
  /** The latest hello that brings it. */
  hello: Hello;
}

export class WorkerPeer implements WorkerPort, PackedSink, ChannelOwner {
  /** Its entry in the broker; undefined while it is unidentified, refused, excused or lost. */
  worker: Worker | undefined;
  /** It said hello, or its routing id says that it will: a worker of this project. */
  native: boolean;
  /** The worker, as its hello says: it may come back under another address. */
  node: string | undefined;
  /** Number of its connection, as its hello says. */
  connection: number | undefined;
  /** It was asked who it is, and did not say so yet. */
  helloRequested = false;
  /** It said goodbye. */
  leaving = false;
  /** Its key allows a classic worker nothing. */
  classicRefused = false;
  /** The contract it brought. */
  contract: ContractHold | undefined;
  /** The contract it brings is being checked; it is not welcome yet. */
  check: ContractCheck | undefined;
  /** Its contract was refused: it is asked again when another one is free. */
  contractRefused = false;
  /** Ends the time it has to say hello. */
  helloTimer: Cancel | undefined;
  /** Hellos that it may say. */
  readonly helloBudget = new HelloBudget();
  /** Drops a hello that waits to be read. */
  delayedHello: Cancel | undefined;
  /** Its last hello that could be read, and a digest of its bytes: the same one is not read again. */
  lastHello: { readonly hello: Hello; readonly digest: string } | undefined;
  /** What it said that it serves, be it taken in or not. */
  announced: ReadAnnouncement | undefined;
  readonly channel: PeerChannel;
  /** What its routing id says. */
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

  /** Who it is: the same after it lost its connection. */
  get key(): string {
    return this.node ?? this.addressIdentity;
  }

  dispatch(request: RouterRequest): boolean {
    if (!this.channel.writable) return false;
    if (this.native) this.channel.addRequest(request.id, request.generation, request.message);
    else this.dispatchClassic(request);
    return true;
  }

  cancel(id: number, generation: number, why: CancelReason): void {
    this.channel.addCancel(id, generation, why);
  }

  requestCredit(): void {
    this.control('$want', {});
  }

  /** Sends a control message, behind the requests that were given to the worker before. */
  control(name: ControlName, data: object): void {
    this.channel.flush();
    this.channel.post(controlFrames(name, data));
  }

  packedReply(id: number, generation: number, reply: ReplyMessage): void {
    this.owner.replied(this, id, generation, reply);
  }

  packedRequest(): void {
    this.owner.drop('foreign-reply', this.key);
  }

  packedCancel(): void {
    this.owner.drop('foreign-reply', this.key);
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

  /** To a classic worker goes only what it can read: it would drop the rest without a word. */
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
    const reply = failure(
      'MALFORMED_MESSAGE',
      'event data is no JSON, or such that a classic worker cannot read',
    );
    queueMicrotask(() => this.owner.replied(this, id, generation, reply));
  }
}
