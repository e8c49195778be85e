/** A worker in the router's process, connected to the broker without a socket. */

import { ReleasingMap } from '../../core/collections/releasing-map.ts';
import { PACKAGE_VERSION } from '../../core/identity/package-version.ts';
import { workerName } from '../../core/identity/worker-name.ts';
import type { CallParent } from '../../core/messages/calls.ts';
import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import type { EmbeddedSlot, EmbeddedWorker } from '../../core/messages/embedded.ts';
import {
  failure,
  type InFlight,
  type ReplyMessage,
  type RequestMessage,
  type Settle,
  type StreamPort,
  settleSafely,
} from '../../core/messages/message.ts';
import { isProgress } from '../../core/messages/progress.ts';
import { WITHOUT_STREAM, wholeMessage } from '../../core/messages/stream.ts';
import type { LeaveReason } from '../../core/observability/diagnostics.ts';
import { turnNow } from '../../transport/link/turn.ts';
import type { Broker } from '../broker/broker.ts';
import type { RouterRequest } from '../broker/request.ts';
import type { Worker, WorkerDescription, WorkerPort } from '../broker/worker.ts';
import { contractOf, eventsOf, readAnnouncement, releaseOf } from './announcement.ts';
import { type CallHandler, callRefusal } from './call-handler.ts';
import type { ContractHold } from './contract-versions.ts';
import type { AnnouncedContracts } from './contracts.ts';
import type { CallPort, PeerCalls } from './peer-calls.ts';
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

/** A call in flight. */
class EmbeddedCall implements InFlight {
  constructor(
    private readonly peer: EmbeddedPeer,
    private readonly id: number,
  ) {}

  cancel(): void {
    this.peer.cancelCall(this.id);
  }

  grant(bytes: number): void {
    this.peer.grantCall(this.id, bytes);
  }

  sendChunk(body: Buffer, end: boolean): void {
    this.peer.sendCallChunk(this.id, body, end);
  }
}

/** Receives the reply to a call. */
interface Caller {
  readonly settle: Settle;
  readonly stream: StreamPort | undefined;
}

/** Generation of all calls: each id is used once. */
const GENERATION = 1;

export class EmbeddedPeer implements WorkerPort, EmbeddedSlot, CallPort {
  readonly native = true;
  worker: Worker | undefined;
  private hold: ContractHold | undefined;
  private readonly callers = new ReleasingMap<number, Caller>();
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

  get name(): string {
    const { id, contract, file, host } = this.local;
    return workerName(id, { contract: contract?.name, file, host });
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
    const { name } = this;
    const info = {
      id,
      name,
      events,
      concurrency,
      maxStreams,
      cancels: true,
      ranks,
      release: releaseOf(announced),
    };
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

  describe(): WorkerDescription {
    const { host } = this.local;
    const place = host === undefined ? {} : { host };
    return { ...place, pid: process.pid, package: PACKAGE_VERSION, ...contractOf(this.local) };
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

  call(message: RequestMessage, parent: CallParent, settle: Settle, stream?: StreamPort): InFlight {
    const { worker } = this;
    const refusal = callRefusal(message.eventName, parent.depth);
    if (refusal !== undefined || worker === undefined) {
      settle(refusal ?? failure('NO_ROUTER', 'the worker has left the router'));
      return { cancel: () => undefined, ...WITHOUT_STREAM };
    }
    const id = this.lastCall++;
    this.calls ??= this.parts.calls.open(this);
    this.callers.set(id, { settle, stream });
    this.calls.start(worker, id, GENERATION, message, parent);
    this.owner.rearmTimer();
    return new EmbeddedCall(this, id);
  }

  cancelCall(id: number): void {
    if (this.callers.take(id) !== undefined) this.calls?.cancel(id, GENERATION, 'cancelled');
  }

  grantCall(id: number, bytes: number): void {
    this.calls?.grant(id, GENERATION, bytes);
  }

  sendCallChunk(id: number, body: Buffer, end: boolean): void {
    this.calls?.chunk(id, GENERATION, body, end);
    this.owner.rearmTimer();
  }

  callReply(id: number, _generation: number, reply: ReplyMessage): void {
    const caller = this.callers.get(id);
    if (caller === undefined) return;
    if (reply.more) {
      if (isProgress(reply)) settleSafely(caller.settle, reply);
      else caller.stream?.onChunk(reply);
      return;
    }
    this.callers.take(id);
    settleSafely(caller.settle, reply);
  }

  callWindow(id: number, _generation: number, bytes: number): void {
    this.callers.get(id)?.stream?.onWindow(bytes);
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
