/**
 * Registers workers with the broker, by their hello or as classic workers, and removes them. It
 * refuses workers whose key does not allow their events, and those whose contract conflicts with
 * the one that other workers serve.
 */
import { createHash } from 'node:crypto';
import type { Logger } from '../../core/logging/logging.ts';
import type { DropCause, LeaveReason, RefusalCause } from '../../core/observability/diagnostics.ts';
import { turnNow } from '../../transport/link/turn.ts';
import { type Credit, controlData, type Hello, readHello, type Welcome } from '../../wire/control.ts';
import { PROTOCOL_VERSION } from '../../wire/metadata.ts';
import type { Broker } from '../broker/broker.ts';
import type { WorkerInfo } from '../broker/worker.ts';
import { eventsOf, type ReadAnnouncement, readAnnouncement, releaseOf } from './announcement.ts';
import { announcementRefusal, classicEventsOf } from './announcement-policy.ts';
import type { ClassicEvents } from './classic-events.ts';
import type { ContractHold } from './contract-versions.ts';
import { type AnnouncedContracts, isSameContract } from './contracts.ts';
import { publishRefused } from './refusal.ts';
import type { ContractCheck, WorkerPeer } from './worker-peer.ts';

/** A worker, as the router reports it. */
export type JoinedPeer = Pick<WorkerPeer, 'key' | 'name' | 'native' | 'worker' | 'describe'>;

/** Callbacks of the registry. */
export interface WorkerRegistryOwner {
  /** A worker joined, or a worker treated as classic sent its hello. */
  workerJoined(peer: JoinedPeer): void;
  workerLeft(peer: JoinedPeer, reason: LeaveReason, held: number): void;
}

/** The backend, as the registry sees it. */
export interface PeerDirectory {
  /** The connected peer with that identity, if any. */
  peerOf(key: string): WorkerPeer | undefined;
  /** The worker of a peer reconnected: what is left of this connection is dropped. */
  superseded(peer: WorkerPeer): void;
  /** Counts a dropped message. */
  drop(cause: DropCause, peer: string | undefined): void;
  /** Something happened at a worker: the broker may have something to do earlier than before. */
  rearmTimer(): void;
}

/** Options of {@link WorkerRegistry}. */
export interface WorkerRegistryOptions {
  /** Identity of the router. */
  readonly identity: string;
  readonly logger: Logger;
  /** Requests that a classic worker holds at a time. */
  readonly classicConcurrency: number;
  /** Events of classic workers. */
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
  /** Whether the warning about classic workers without configured events was logged. */
  private warnedOfUnbound = false;

  constructor(
    private readonly options: WorkerRegistryOptions,
    private readonly broker: Broker,
    private readonly directory: PeerDirectory,
    private readonly owner: WorkerRegistryOwner,
  ) {}

  /** Handles a hello, sent at the start of a connection or on request. */
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
    peer.packs = hello.pack === 1;
    peer.streams = hello.stream === 1;
    peer.mayCall = hello.calls === 1;
    const known = peer.announced;
    const same = known !== undefined && known.events === hello.events && known.contract === hello.contract;
    const announced = same ? known : readAnnouncement(hello);
    if (!same) {
      const operations = typeof announced === 'string' ? 0 : announced.claims.length;
      peer.helloBudget.charge(hello.events?.length ?? 0, operations);
    }
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

  /** Aborts the check of a contract whose worker is gone or announced another one. */
  abandonCheck(peer: WorkerPeer): void {
    peer.check?.abort.abort();
    peer.check = undefined;
  }

  /**
   * Adds a peer without a hello as a classic worker. It serves the events of its configuration or
   * key, or else those that no worker announced.
   */
  joinClassic(peer: WorkerPeer): void {
    const { classicConcurrency: concurrency, classicEvents } = this.options;
    const bound = classicEvents.of(peer.address);
    const events = peer.authenticated ? classicEventsOf(peer.authenticated.permissions, bound) : bound;
    peer.helloTimer = undefined;
    if (peer.classicRefused) return;
    if (peer.authenticated !== undefined && events?.length === 0) {
      peer.classicRefused = true;
      return this.refuse(
        peer,
        `the key of ${peer.authenticated.permissions.name} names no event that a classic worker could serve`,
      );
    }
    if (events === undefined) this.warnOfUnboundWorkers(peer);
    peer.worker = this.broker.addWorker(
      peer,
      { id: peer.key, name: peer.name, events, concurrency, cancels: false },
      turnNow(),
    );
    this.owner.workerJoined(peer);
  }

  /**
   * Warns once about a second classic worker without configured events: it may serve other events
   * than the first one.
   */
  private warnOfUnboundWorkers(peer: WorkerPeer): void {
    if (this.warnedOfUnbound) return;
    const before = [...this.broker.workers].find((worker) => !worker.cancels && worker.events === undefined);
    if (before === undefined) return;
    this.warnedOfUnbound = true;
    this.options.logger.warn({ workers: [before.name, peer.name] }, UNBOUND_WORKERS);
  }

  /** Asks a native worker that is not registered for its hello. */
  requestHello(peer: WorkerPeer): void {
    if (peer.helloRequested || peer.leaving || peer.check !== undefined) return;
    peer.helloRequested = true;
    peer.control('$who', {});
  }

  /** Retries a worker whose contract was refused, after another contract was released. */
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

  /**
   * Updates the concurrency of a worker. The acknowledgement follows all requests dispatched
   * before.
   */
  credit(peer: WorkerPeer, concurrency: number | undefined): void {
    if (concurrency === undefined) return this.directory.drop('bad-control', peer.key);
    if (peer.check !== undefined) peer.check.hello = { ...peer.check.hello, concurrency, share: true };
    if (peer.worker === undefined && peer.check === undefined) return this.requestHello(peer);
    if (peer.worker !== undefined) {
      this.broker.updateWorker(peer.worker, { concurrency, sharesCredit: true }, turnNow());
    }
    peer.control('$credit', { concurrency } satisfies Credit);
  }

  /**
   * Drains a worker that says goodbye: it receives no more requests and still replies to those it
   * holds.
   */
  goodbye(peer: WorkerPeer): void {
    peer.helloTimer?.();
    peer.helloTimer = undefined;
    peer.native = true;
    peer.leaving = true;
    this.abandonCheck(peer);
    if (peer.worker !== undefined) this.broker.drainWorker(peer.worker, () => this.leave(peer, 'goodbye'));
    peer.control('$bye', {});
  }

  /** Removes a worker. Requests that it holds are settled or redispatched. */
  leave(peer: WorkerPeer, reason: LeaveReason): void {
    const { worker } = peer;
    this.abandonCheck(peer);
    peer.calls?.cancelAll();
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
    this.refuse(peer, reason, reason === HELD_BACK ? 'held-back' : 'contract');
  }

  /** @param cause what is rejected; `held-back` if the worker only has to wait for others. */
  private refuse(peer: WorkerPeer, reason: string, cause: RefusalCause | 'held-back' = 'announcement'): void {
    if (cause !== 'held-back') publishRefused(this.options.identity, peer.key, cause);
    this.options.logger.warn({ worker: peer.name, workerId: peer.key, reason }, 'a worker was refused');
    if (peer.native) peer.control('$refused', { reason });
    this.leave(peer, 'refused');
  }

  /**
   * Lets a worker that reconnected replace its lost connection. Returns false for a hello of the
   * older connection, or for an identity that another key uses.
   */
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

  /** Adds or refuses the worker once its contract was checked. */
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

  private admit(peer: WorkerPeer, hello: Hello): void {
    const { events, concurrency, share: shares, streams: maxStreams, zone } = hello;
    const { identity: router } = this.options;
    const welcome: Welcome = { v: PROTOCOL_VERSION, pack: 1, router, calls: 1, stream: 1, callStreams: 1 };
    peer.control('$welcome', welcome);
    const now = turnNow();
    const { worker } = peer;
    const ranks = peer.contract?.version.ranks;
    const release = releaseOf(hello);
    if (worker === undefined) {
      const info: WorkerInfo = {
        id: peer.key,
        name: peer.name,
        events,
        concurrency,
        maxStreams,
        zone,
        sharesCredit: shares,
        cancels: true,
        ranks,
        release,
      };
      peer.worker = this.broker.addWorker(peer, info, now);
      this.owner.workerJoined(peer);
      return;
    }
    const wasClassic = !worker.cancels;
    this.broker.updateWorker(
      worker,
      { name: peer.name, events, concurrency, sharesCredit: shares, cancels: true, ranks, release },
      now,
    );
    if (wasClassic) this.owner.workerJoined(peer);
  }
}

/** Whether a worker was refused before and is not in: the contract that was in force then comes first. */
function isSecond({ worker }: WorkerPeer, { refused, contract }: Hello): boolean {
  return refused === true && contract !== undefined && worker === undefined;
}

/** Reads a hello. The bytes of the peer's last hello are not parsed again. */
function readHelloOnce(peer: WorkerPeer, frame: Buffer | undefined): Hello | string {
  const digest = frame === undefined ? '' : createHash('sha256').update(frame).digest('base64');
  if (peer.lastHello?.digest === digest) return peer.lastHello.hello;
  const hello = readHello(controlData(frame));
  if (typeof hello !== 'string') peer.lastHello = { hello, digest };
  return hello;
}

/**
 * Returns why the peer's key does not allow what it announced; undefined if it does, or if no keys
 * are in use.
 */
function permissionRefusal({ authenticated: peer, announced }: WorkerPeer): string | undefined {
  return peer && announced && announcementRefusal(peer.permissions, announced);
}
