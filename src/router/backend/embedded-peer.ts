/** A worker in the router's process, connected to the broker without a socket. */

import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import type { EmbeddedSlot, EmbeddedWorker } from '../../core/messages/embedded.ts';
import type { ReplyMessage } from '../../core/messages/message.ts';
import type { LeaveReason } from '../../core/observability/diagnostics.ts';
import { turnNow } from '../../transport/link/turn.ts';
import type { Broker } from '../broker/broker.ts';
import type { RouterRequest } from '../broker/request.ts';
import type { Worker, WorkerPort } from '../broker/worker.ts';
import { eventsOf, readAnnouncement } from './announcement.ts';
import type { ContractHold } from './contract-versions.ts';
import type { AnnouncedContracts } from './contracts.ts';
import type { WorkerRegistryOwner } from './worker-registry.ts';

export class EmbeddedPeer implements WorkerPort, EmbeddedSlot {
  readonly native = true;
  worker: Worker | undefined;
  private hold: ContractHold | undefined;

  constructor(
    private readonly local: EmbeddedWorker,
    private readonly broker: Broker,
    private readonly contracts: AnnouncedContracts,
    private readonly owner: WorkerRegistryOwner,
  ) {}

  get key(): string {
    return this.local.id;
  }

  /** Adds the worker. @returns why it is refused; undefined if it joined. */
  join(): string | undefined {
    const { id, events, concurrency } = this.local;
    const announced = readAnnouncement(this.local);
    if (typeof announced === 'string') return announced;
    const { contract, claims } = announced;
    const hold =
      contract && this.contracts.acquire(contract.name, contract.fragment, eventsOf(claims), claims.length);
    if (typeof hold === 'string') return hold;
    this.hold = hold;
    const ranks = hold?.version.ranks;
    this.worker = this.broker.addWorker(this, { id, events, concurrency, cancels: true, ranks }, turnNow());
    this.owner.workerJoined(this);
    return undefined;
  }

  dispatch(request: RouterRequest): boolean {
    this.local.onRequest(request.id, request.generation, request.message);
    return true;
  }

  cancel(id: number, generation: number, why: CancelReason): void {
    this.local.onCancel(id, generation, why);
  }

  reply(id: number, generation: number, reply: ReplyMessage): void {
    if (this.worker !== undefined) this.broker.reply(this.worker, id, generation, reply, turnNow());
  }

  leave(): void {
    if (this.worker !== undefined) this.broker.drainWorker(this.worker, () => this.remove('goodbye'));
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
    const { held } = worker;
    this.broker.removeWorker(worker, turnNow());
    if (this.hold !== undefined) this.contracts.release(this.hold);
    this.owner.workerLeft(this, reason, held);
  }
}
