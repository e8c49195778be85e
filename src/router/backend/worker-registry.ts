/**
 * Who works for the router: takes workers into the broker by their hello, or as classic ones, and out of it again. Who is
 * there at all is the backend's.
 */
import { createHash } from 'node:crypto';
import type { Logger } from '../../core/logging/logging.ts';
import type { DropCause, LeaveReason } from '../../core/observability/diagnostics.ts';
import { turnNow } from '../../transport/link/turn.ts';
import { type Credit, controlData, type Hello, readHello } from '../../wire/control.ts';
import { PROTOCOL_VERSION } from '../../wire/metadata.ts';
import type { Broker } from '../broker/broker.ts';
import { eventsOf, type ReadAnnouncement, readAnnouncement } from './announcement.ts';
import { announcementRefusal, classicEventsOf } from './announcement-policy.ts';
import type { ClassicEvents } from './classic-events.ts';
import type { ContractHold } from './contract-versions.ts';
import { type AnnouncedContracts, isSameContract } from './contracts.ts';
import type { ContractCheck, WorkerPeer } from './worker-peer.ts';

/** A worker, as much of it as the router tells others. */
export type JoinedPeer = Pick<WorkerPeer, 'key' | 'native' | 'worker'>;

/** Told of workers that come and go. */
export interface WorkerRegistryOwner {
  /** A worker came, or one that was taken for a classic one said what it is. */
  workerJoined(peer: JoinedPeer): void;
  workerLeft(peer: JoinedPeer, reason: LeaveReason, held: number): void;
}

/** What a membership needs of the backend. */
export interface PeerDirectory {
  /** The peer of that worker; undefined when none is there. */
  peerOf(key: string): WorkerPeer | undefined;
  /** The worker of a peer has another connection now: what is left of this one is dropped. */
  superseded(peer: WorkerPeer): void;
  /** Counts something that was not used. */
  drop(cause: DropCause, peer: string | undefined): void;
  /** Something happened at a worker: the broker may have something to do earlier than before. */
  rearmTimer(): void;
}

/** Options of a membership. */
export interface WorkerRegistryOptions {
  /** The router's own. */
  readonly identity: string;
  readonly logger: Logger;
  /** Requests that a classic worker is given at a time. */
  readonly classicConcurrency: number;
  /** What classic workers serve. */
  readonly classicEvents: ClassicEvents;
  readonly contracts: AnnouncedContracts;
}

const HELD_BACK =
  'the worker was refused before, and the router has just started: it first takes in workers that were not refused';

const UNBOUND_WORKERS =
  'two classic workers are bound to no events: the router assumes that each of them serves every event that no worker ' +
  'announced; if they serve different events, bind them with classicEvents (--classic-events NODE_ID=EVENT)';

export class WorkerRegistry {
  /** The router has just started: workers that were refused before wait for the others. */
  starting = false;
  /** It was said what is assumed of classic workers that are bound to no events. */
  private warnedOfUnbound = false;

  constructor(
    private readonly options: WorkerRegistryOptions,
    private readonly broker: Broker,
    private readonly directory: PeerDirectory,
    private readonly owner: WorkerRegistryOwner,
  ) {}

  /** A worker says what it is, at its start or when it was asked. */
  hello(peer: WorkerPeer, frame: Buffer | undefined): void {
    peer.helloTimer?.();
    peer.helloTimer = undefined;
    peer.native = true;
    peer.helloRequested = false;
    peer.leaving = false;
    const hello = readHelloOnce(peer, frame);
    if (typeof hello === 'string') {
      this.directory.drop('bad-control', peer.key);
      return this.refuse(peer, hello);
    }
    if (!this.takeOver(peer, hello)) return this.directory.drop('bad-control', peer.key);
    if (peer.connection !== undefined && peer.connection !== hello.connection) this.leave(peer, 'replaced');
    peer.connection = hello.connection;
    const known = peer.announced;
    const same = known !== undefined && known.events === hello.events && known.contract === hello.contract;
    const announced = same ? known : readAnnouncement(hello);
    if (typeof announced === 'string') return this.refuse(peer, announced);
    peer.announced = announced;
    if (same && peer.check !== undefined) {
      peer.check.hello = hello;
      return;
    }
    this.abandonCheck(peer);
    const refusal = permissionRefusal(peer);
    if (refusal !== undefined) return this.refuse(peer, refusal);
    if (this.starting && isSecond(peer, hello)) this.reject(peer, HELD_BACK);
    else if (same && peer.contract !== undefined) this.admit(peer, hello);
    else this.acquire(peer, announced, hello);
  }

  /** The worker is gone, or brings something else: its contract is not checked to the end. */
  abandonCheck(peer: WorkerPeer): void {
    peer.check?.abort.abort();
    peer.check = undefined;
  }

  /** A peer that says no hello is a classic worker: it serves what configuration or key bind it to, or what no worker announced. */
  joinClassic(peer: WorkerPeer): void {
    const { classicConcurrency: concurrency, classicEvents } = this.options;
    const bound = classicEvents.of(peer.address);
    const events = peer.authenticated ? classicEventsOf(peer.authenticated.rights, bound) : bound;
    peer.helloTimer = undefined;
    if (peer.classicRefused) return;
    if (peer.authenticated !== undefined && events?.length === 0) {
      peer.classicRefused = true;
      return this.refuse(
        peer,
        `the key of ${peer.authenticated.rights.name} names no event that a classic worker could serve`,
      );
    }
    if (events === undefined) this.warnOfUnboundWorkers(peer);
    peer.worker = this.broker.addWorker(
      peer,
      { id: peer.key, events, concurrency, cancels: false },
      turnNow(),
    );
    this.owner.workerJoined(peer);
  }

  /** The second classic worker that is bound to no events may serve others than the first one: the operator should know. */
  private warnOfUnboundWorkers(peer: WorkerPeer): void {
    if (this.warnedOfUnbound) return;
    const before = [...this.broker.workers].find((worker) => !worker.cancels && worker.events === undefined);
    if (before === undefined) return;
    this.warnedOfUnbound = true;
    this.options.logger.warn({ workers: [before.id, peer.key] }, UNBOUND_WORKERS);
  }

  /** One of ours of which the router has lost track is to say its hello again. */
  requestHello(peer: WorkerPeer): void {
    if (peer.helloRequested || peer.leaving || peer.check !== undefined) return;
    peer.helloRequested = true;
    peer.control('$who', {});
  }

  /** What stood in the way of a contract may be gone. */
  retryRefusedContract(peer: WorkerPeer): void {
    if (peer.contractRefused) this.requestHello(peer);
  }

  /** Another allow list: the worker may serve less than before, nothing at all, or what it was refused. */
  permissionsChanged(peer: WorkerPeer): void {
    if (peer.authenticated === undefined || peer.leaving) return;
    const refusal = peer.authenticated.revoked
      ? 'its key was taken off the allow list'
      : permissionRefusal(peer);
    if (refusal !== undefined) this.refuse(peer, refusal);
    else if (peer.native && peer.worker === undefined) this.requestHello(peer);
    else if (!peer.native && peer.helloTimer === undefined) {
      peer.classicRefused = false;
      this.leave(peer, 'replaced');
      this.joinClassic(peer);
    }
  }

  /** A worker takes more or less from now on. The answer is behind all that it was given before. */
  credit(peer: WorkerPeer, concurrency: number | undefined): void {
    if (concurrency === undefined) return this.directory.drop('bad-control', peer.key);
    if (peer.check !== undefined) peer.check.hello = { ...peer.check.hello, concurrency, share: true };
    if (peer.worker === undefined && peer.check === undefined) return this.requestHello(peer);
    if (peer.worker !== undefined) {
      this.broker.updateWorker(peer.worker, { concurrency, sharesCredit: true }, turnNow());
    }
    peer.control('$credit', { concurrency } satisfies Credit);
  }

  /** The worker wants nothing more; what it holds it will still answer. */
  goodbye(peer: WorkerPeer): void {
    peer.helloTimer?.();
    peer.helloTimer = undefined;
    peer.native = true;
    peer.leaving = true;
    this.abandonCheck(peer);
    if (peer.worker !== undefined) this.broker.drainWorker(peer.worker, () => this.leave(peer, 'goodbye'));
    peer.control('$bye', {});
  }

  /** The worker is given nothing more, and what it holds is settled or given to others. */
  leave(peer: WorkerPeer, reason: LeaveReason): void {
    const { worker } = peer;
    this.abandonCheck(peer);
    if (peer.contract !== undefined) this.options.contracts.release(peer.contract);
    peer.contract = undefined;
    if (worker === undefined) return;
    peer.worker = undefined;
    const { held } = worker;
    this.broker.removeWorker(worker, turnNow());
    this.owner.workerLeft(peer, reason, held);
  }

  /** Refuses a worker for its contract: it is asked again when that may have changed. */
  private reject(peer: WorkerPeer, reason: string): void {
    peer.contractRefused = true;
    this.refuse(peer, reason);
  }

  private refuse(peer: WorkerPeer, reason: string): void {
    this.options.logger.warn({ worker: peer.key, reason }, 'a worker was refused');
    if (peer.native) peer.control('$refused', { reason });
    this.leave(peer, 'refused');
  }

  /** A worker that comes back takes the place of its lost connection. False: it is that one, late, or another's name. */
  private takeOver(peer: WorkerPeer, { node, connection = 0 }: Hello): boolean {
    if (node === undefined || node === peer.node) return true;
    const before = this.directory.peerOf(node);
    if (before !== undefined && before !== peer) {
      const stranger = before.authenticated?.publicKey !== peer.authenticated?.publicKey;
      if (stranger || (before.connection ?? 0) > connection) return false;
      this.leave(before, 'replaced');
      this.directory.superseded(before);
    }
    peer.node = node;
    return true;
  }

  private acquire(peer: WorkerPeer, { contract, claims }: ReadAnnouncement, hello: Hello): void {
    const { contracts } = this.options;
    peer.contractRefused = false;
    const former = peer.contract;
    if (former !== undefined && contract !== undefined && isSameContract(former, contract)) {
      return this.admit(peer, hello);
    }
    if (former !== undefined) contracts.release(former);
    peer.contract = undefined;
    if (contract === undefined) return this.admit(peer, hello);
    const abort = new AbortController();
    const { name, fragment } = contract;
    const hold = contracts.acquireInSlices(name, fragment, eventsOf(claims), claims.length, abort.signal);
    if (hold instanceof Promise) this.awaitCheck(peer, { abort, hello }, hold);
    else this.contractChecked(peer, hello, hold);
  }

  /** Takes the worker in, or refuses it, once its contract is checked. */
  private awaitCheck(peer: WorkerPeer, check: ContractCheck, hold: Promise<ContractHold | string>): void {
    peer.check = check;
    void hold.then((result) => {
      if (peer.check === check) {
        peer.check = undefined;
        this.contractChecked(peer, check.hello, result);
        this.directory.rearmTimer();
      } else if (typeof result !== 'string') this.options.contracts.release(result);
    });
  }

  private contractChecked(peer: WorkerPeer, hello: Hello, hold: ContractHold | string): void {
    if (typeof hold === 'string') return this.reject(peer, hold);
    peer.contract = hold;
    this.admit(peer, hello);
  }

  private admit(peer: WorkerPeer, { events, concurrency, share: shares }: Hello): void {
    peer.control('$welcome', { v: PROTOCOL_VERSION, pack: 1, router: this.options.identity });
    const now = turnNow();
    const { worker } = peer;
    const ranks = peer.contract?.version.ranks;
    if (worker === undefined) {
      const info = { id: peer.key, events, concurrency, shares, cancels: true, ranks };
      peer.worker = this.broker.addWorker(peer, info, now);
      this.owner.workerJoined(peer);
      return;
    }
    const wasClassic = !worker.cancels;
    this.broker.updateWorker(
      worker,
      { events, concurrency, sharesCredit: shares, cancels: true, ranks },
      now,
    );
    if (wasClassic) this.owner.workerJoined(peer);
  }
}

/** Whether a worker was refused before and is not in: the contract that was in force then comes first. */
function isSecond({ worker }: WorkerPeer, { refused, contract }: Hello): boolean {
  return refused === true && contract !== undefined && worker === undefined;
}

/** Reads a hello; the same bytes as those of the peer's last one are the same hello. */
function readHelloOnce(peer: WorkerPeer, frame: Buffer | undefined): Hello | string {
  const digest = frame === undefined ? '' : createHash('sha256').update(frame).digest('base64');
  if (peer.lastHello?.digest === digest) return peer.lastHello.hello;
  const hello = readHello(controlData(frame));
  if (typeof hello !== 'string') peer.lastHello = { hello, digest };
  return hello;
}

/** Why its key does not allow what a worker announced; undefined when it does, or keys are not asked for. */
function permissionRefusal({ authenticated: guest, announced }: WorkerPeer): string | undefined {
  return guest && announced && announcementRefusal(guest.rights, announced);
}
