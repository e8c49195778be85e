/** A worker in the router's process, connected to the broker without a socket. */

import type { CallParent } from '../../core/messages/calls.ts';
import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import type { EmbeddedSlot, EmbeddedWorker } from '../../core/messages/embedded.ts';
import {
  type Cancellable,
  failure,
  type ReplyMessage,
  type RequestMessage,
  type Settle,
  settleSafely,
} from '../../core/messages/message.ts';
import { wholeMessage } from '../../core/messages/stream.ts';
import type { LeaveReason } from '../../core/observability/diagnostics.ts';
import { turnNow } from '../../transport/link/turn.ts';
import type { Broker } from '../broker/broker.ts';
import type { RouterRequest } from '../broker/request.ts';
import type { Worker, WorkerPort } from '../broker/worker.ts';
import { eventsOf, readAnnouncement, releaseOf } from './announcement.ts';
import { type CallHandler, callRefusal } from './call-handler.ts';
import type { ContractHold } from './contract-versions.ts';
import type { AnnouncedContracts } from './contracts.ts';
import type { PeerCalls } from './peer-calls.ts';
import type { WorkerRegistryOwner } from './worker-registry.ts';

/** The parts of the router that an embedded worker uses. */
export interface EmbeddedPeerParts {
  readonly broker: Broker;
  readonly contracts: AnnouncedContracts;
  readonly calls: CallHandler;
}

/** Callbacks of an embedded worker's registration. */
export interface EmbeddedPeerOwner extends WorkerRegistryOwner {
  /** The worker sent a call: the broker may have something to do earlier than before. */
  rearmTimer(): void;
}

export class EmbeddedPeer implements WorkerPort, EmbeddedSlot {
  readonly native = true;
  worker: Worker | undefined;
  private hold: ContractHold | undefined;
  private readonly settles = new Map<number, Settle>();
  private calls: PeerCalls | undefined;
  private lastCall = 0;

  constructor(
    private readonly local: EmbeddedWorker,
    private readonly parts: EmbeddedPeerParts,
    private readonly owner: EmbeddedPeerOwner,
  ) {}

  get key(): string {
    return this.local.id;
  }

  /** Adds the worker. @returns why it is refused; undefined if it joined. */
  join(): string | undefined {
    const { id, events, concurrency, maxStreams } = this.local;
    const announced = readAnnouncement(this.local);
    if (typeof announced === 'string') return announced;
    const { contract, claims } = announced;
    const hold =
      contract &&
      this.parts.contracts.acquire(contract.name, contract.fragment, eventsOf(claims), claims.length);
    if (typeof hold === 'string') return hold;
    this.hold = hold;
    const ranks = hold?.version.ranks;
    const info = { id, events, concurrency, maxStreams, cancels: true, ranks, release: releaseOf(announced) };
    this.worker = this.parts.broker.addWorker(this, info, turnNow());
    this.owner.workerJoined(this);
    return undefined;
  }

  dispatch(request: RouterRequest): boolean {
    const { id, generation, message, stream } = request;
    if (stream === undefined || this.local.onChunk !== undefined) {
      this.local.onRequest(id, generation, message);
    } else if (message.upload === true) {
      const refusal = failure('STREAMS_UNSUPPORTED', `the worker ${this.key} takes no streams`);
      queueMicrotask(() => this.reply(id, generation, refusal));
    } else this.local.onRequest(id, generation, wholeMessage(message));
    return true;
  }

  sendWindow(id: number, generation: number, bytes: number): void {
    this.local.onWindow?.(id, generation, bytes);
  }

  sendChunk(id: number, generation: number, body: Buffer, end: boolean): void {
    this.local.onChunk?.(id, generation, body, end);
  }

  cancel(id: number, generation: number, why: CancelReason): void {
    this.local.onCancel(id, generation, why);
  }

  reply(id: number, generation: number, reply: ReplyMessage): void {
    if (this.worker !== undefined) this.parts.broker.reply(this.worker, id, generation, reply, turnNow());
  }

  window(id: number, generation: number, bytes: number): void {
    const { worker, parts } = this;
    if (worker !== undefined) parts.broker.streams.grantBody(worker, id, generation, bytes, turnNow());
  }

  call(message: RequestMessage, parent: CallParent, settle: Settle): Cancellable {
    const { worker } = this;
    const refusal = callRefusal(message.eventName, parent.depth);
    if (refusal !== undefined || worker === undefined) {
      settle(refusal ?? failure('NO_ROUTER', 'the worker has left the router'));
      return { cancel: () => undefined };
    }
    const id = this.lastCall++;
    this.calls ??= this.parts.calls.open((settled, _generation, reply) => this.callSettled(settled, reply));
    this.settles.set(id, settle);
    this.calls.start(worker, id, 1, message, parent);
    this.owner.rearmTimer();
    return {
      cancel: () => {
        if (this.settles.delete(id)) this.calls?.cancel(id, 1, 'cancelled');
      },
    };
  }

  private callSettled(id: number, reply: ReplyMessage): void {
    const settle = this.settles.get(id);
    this.settles.delete(id);
    if (settle !== undefined) settleSafely(settle, reply);
  }

  leave(): void {
    if (this.worker !== undefined) this.parts.broker.drainWorker(this.worker, () => this.remove('goodbye'));
  }

  lost(): void {
    this.remove('disconnected');
  }

  /** Removes the worker because the router closes. */
  close(): void {
    this.remove('stopped');
    this.local.onClosed();
  }

  private remove(reason: LeaveReason): void {
    const { worker } = this;
    if (worker === undefined) return;
    this.worker = undefined;
    this.calls?.cancelAll();
    const { held } = worker;
    this.parts.broker.removeWorker(worker, turnNow());
    if (this.hold !== undefined) this.parts.contracts.release(this.hold);
    this.owner.workerLeft(this, reason, held);
  }
}
