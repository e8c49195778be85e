/**
 * The store of a gateway. It is opened when an operation of the document needs it, and again after a
 * failure. The service keeps the leases of requests that the gateway holds, and takes over requests
 * of gateways that are gone.
 */
import { randomUUID } from 'node:crypto';
import { toError } from '../../core/messages/errors.ts';
import { type Clock, systemClock } from '../../core/time/clock.ts';
import {
  type ClaimedRequest,
  type Creation,
  type Hold,
  type NewRequest,
  type Outcome,
  openStore,
  type RequestStore,
  type StoreOptions,
  type StoreStatistics,
  StoreUnavailableError,
  storeExists,
} from '../../store/index.ts';
import type { GatewayLogger } from '../common/api-source.ts';
import { HeldRequests, type Holder } from './held-requests.ts';
import { KEY_RESULTS, type KeyResult } from './key-result.ts';
import { Loop } from './loop.ts';
import { lostOutcome } from './lost-outcome.ts';
import { Unfinished } from './unfinished.ts';

/** Time until another gateway takes over the requests of a gateway that is gone, in ms. */
const LEASE = 15_000;
/** Time between attempts to open the store, and to repeat a failed change, in ms. */
const RETRY = 1000;
/** Time between searches for requests whose lease has ended, in ms. */
const CLAIM_INTERVAL = 1000;
/** Time between checks of a store that works, in ms. */
const CHECK_INTERVAL = 5000;
/** Time between deletions of expired requests, in ms, unless more are left. */
const EXPIRY_INTERVAL = 5000;
/** Maximum expired requests deleted at once: more would delay other changes. */
const EXPIRY_BATCH = 200;
/** Time between deletions while more expired requests are left, in ms. */
const EXPIRY_PAUSE = 50;
/** Age at which statistics are read again, in ms. */
const STATISTICS_AGE = 10_000;
/** How the service opens a store; tests replace it. */
export type Open = (options: StoreOptions) => Promise<RequestStore>;

export class StoreService {
  /** Names this gateway in the store. */
  readonly owner: string = randomUUID();
  /** Takes claimed requests that have data, so that this gateway can run them. */
  onClaimed: ((claimed: ClaimedRequest) => void) | undefined;
  /** Maximum requests to claim at once; 0 pauses. */
  claimLimit = 100;
  /** Requests with an idempotency key, by what the gateway did with them. */
  readonly keys = new Map<KeyResult, number>(KEY_RESULTS.map((result) => [result, 0]));
  private readonly held = new HeldRequests();
  private readonly listeners = new Set<(id: string) => void>();
  private readonly unfinished = new Unfinished();
  /** Number of outcomes that are being written, and what closing waits for. */
  private writing = 0;
  private written: (() => void) | undefined;
  private readonly loops: Loop[];
  private readonly checking: Loop;
  private store: RequestStore | undefined;
  private opening: Promise<RequestStore> | undefined;
  private isNeeded = false;
  private closed = false;
  private problem: string | undefined;
  private counted: StoreStatistics | undefined;
  private countedAt = -Infinity;

  /** @param lease time until another gateway takes over the requests of one that is gone, in ms. */
  constructor(
    private readonly openIt: Open,
    private readonly logger: GatewayLogger,
    private readonly clock: Clock = systemClock,
    readonly lease: number = LEASE,
    private readonly mayExist: () => boolean = () => true,
  ) {
    this.checking = new Loop(clock, CHECK_INTERVAL, () => this.check());
    this.loops = [
      this.checking,
      new Loop(clock, lease / 3, () => this.guarded((store) => this.renew(store))),
      new Loop(clock, CLAIM_INTERVAL, () => this.guarded((store) => this.takeOver(store))),
      new Loop(clock, EXPIRY_INTERVAL, () => this.guarded((store) => this.expire(store))),
    ];
  }

  /** Creates the service for the store that a URL names. */
  static at(url: string, options: StoreOptions, logger: GatewayLogger): StoreService {
    const report = (message: string, err?: Error): void => {
      if (err === undefined) logger.info({}, message);
      else logger.warn({ err }, message);
    };
    const open: Open = (more) => openStore(url, { ...options, ...more, report });
    return new StoreService(open, logger, systemClock, LEASE, () => storeExists(url));
  }

  /** Whether there is a store already. If not, using it creates one. */
  get exists(): boolean {
    return this.store !== undefined || this.mayExist();
  }

  /** Why the store cannot be used; undefined if it can, or if no operation needs it. */
  get failure(): string | undefined {
    if (!this.isNeeded) return undefined;
    return this.problem ?? (this.store === undefined ? 'The store is not open yet.' : undefined);
  }

  /**
   * What is stored, for metrics: up to 10 s old. Reading it starts the next count. Undefined before
   * the first one.
   */
  get statistics(): StoreStatistics | undefined {
    const { store } = this;
    if (store !== undefined && this.clock.now() - this.countedAt >= STATISTICS_AGE) {
      this.countedAt = this.clock.now();
      void this.guarded(async () => {
        this.counted = await store.statistics();
      });
    }
    return this.counted;
  }

  /** An operation needs the store: opens it in the background, again and again until it succeeds. */
  need(): void {
    if (this.isNeeded || this.closed) return;
    this.isNeeded = true;
    this.open().catch(() => undefined);
  }

  /** Resolves when an attempt to open the store has ended, whether it succeeded or not. */
  async attempted(): Promise<void> {
    await this.opening?.catch(() => undefined);
  }

  /**
   * Runs an operation of the store.
   *
   * @throws {StoreUnavailableError} when the store cannot be opened or used.
   */
  async use<T>(run: (store: RequestStore) => Promise<T>): Promise<T> {
    try {
      return await run(this.store ?? (await this.opened()));
    } catch (error) {
      if (error instanceof StoreUnavailableError) this.fail(error);
      throw error;
    }
  }

  /**
   * Stores a new request. While the store is known to fail, the request does not wait for it.
   *
   * @throws {StoreUnavailableError} when the store cannot be opened or used.
   */
  async create(request: NewRequest): Promise<Creation> {
    if (this.problem !== undefined) throw unavailable(this.problem);
    try {
      return await this.use((store) => store.create(request));
    } catch (error) {
      // It may be stored nevertheless, for example if a connection was lost after the commit.
      const { id, owner } = request;
      if (this.store !== undefined) this.unfinished.forget({ id, owner, attempt: 1 });
      throw error;
    }
  }

  countKey(result: KeyResult): void {
    this.keys.set(result, (this.keys.get(result) ?? 0) + 1);
  }

  /** Keeps the lease of a request until it is finished or dropped. */
  keep(hold: Hold, holder: Holder): void {
    this.held.add(hold, holder);
  }

  drop(id: string): void {
    this.held.remove(id);
  }

  /** The current hold of a request, with which alone it can be changed. */
  current(hold: Hold): Hold {
    return this.held.current(hold);
  }

  /**
   * Ends a request. If the store cannot be used, the service repeats the change until it can.
   *
   * @returns whether the outcome is stored now.
   */
  async finish(hold: Hold, outcome: Outcome): Promise<boolean> {
    this.writing += 1;
    try {
      const done = await this.use((store) => store.finish(this.held.current(hold), outcome));
      this.held.remove(hold.id);
      return done;
    } catch {
      // The lease is kept: otherwise, the request would be taken over and counted as unknown.
      if (!this.unfinished.add(hold, outcome)) this.held.remove(hold.id);
      return false;
    } finally {
      this.writing -= 1;
      if (this.writing === 0) this.written?.();
    }
  }

  /**
   * Calls `listener` with the id of each request that changed.
   *
   * @returns a function that stops it.
   */
  watch(listener: (id: string) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Completes changes, and ends the leases of requests that the gateway still holds. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.loops.map((loop) => loop.stop()));
    const store = this.store ?? (await this.opening?.catch(() => undefined));
    if (store === undefined) return;
    if (this.writing > 0) await new Promise<void>((resolve) => (this.written = resolve));
    await this.finishRest(store).catch(() => undefined);
    const { holds } = this.held;
    if (holds.length > 0) await store.release(holds).catch(() => undefined);
    await store.close();
  }

  private opened(): Promise<RequestStore> {
    if (this.opening !== undefined) return this.opening;
    // The next attempt is scheduled: requests do not wait for it.
    if (this.problem !== undefined) return Promise.reject(unavailable(this.problem));
    this.isNeeded = true;
    return this.open();
  }

  private open(): Promise<RequestStore> {
    this.opening = this.attemptToOpen();
    return this.opening;
  }

  private async attemptToOpen(): Promise<RequestStore> {
    try {
      const store = await this.openIt({});
      this.store = store;
      this.recover();
      store.watch((id, mayBeCancelled) => this.onChange(store, id, mayBeCancelled));
      if (!this.closed) for (const loop of this.loops) loop.start();
      return store;
    } catch (error) {
      this.fail(error);
      if (!this.closed) this.clock.after(RETRY, () => void this.reopen());
      throw error instanceof StoreUnavailableError ? error : unavailable(toError(error).message);
    } finally {
      this.opening = undefined;
    }
  }

  private async reopen(): Promise<void> {
    if (!this.closed) await this.open().catch(() => undefined);
  }

  private onChange(store: RequestStore, id: string, mayBeCancelled: boolean): void {
    for (const listener of this.listeners) listener(id);
    if (mayBeCancelled) void this.guarded(() => this.held.onChange(store, id));
  }

  private async renew(store: RequestStore): Promise<undefined> {
    await this.held.renew(store, this.lease);
    return undefined;
  }

  /** Takes over requests whose leases have ended. */
  private async takeOver(store: RequestStore): Promise<number | undefined> {
    await this.finishRest(store);
    if (this.claimLimit <= 0) return undefined;
    const claimed = await store.claim(this.owner, this.lease, this.claimLimit);
    for (const one of claimed) {
      if (this.held.adopt(one)) continue;
      if (one.data.length > 0 && this.onClaimed !== undefined) this.onClaimed(one);
      else await store.finish(one.hold, lostOutcome(one.request));
    }
    return claimed.length === this.claimLimit ? 0 : undefined;
  }

  /** Repeats changes that failed. */
  private async finishRest(store: RequestStore): Promise<void> {
    await this.unfinished.repeat(async (hold, outcome) => {
      await store.finish(this.held.current(hold), outcome);
      this.held.remove(hold.id);
    });
  }

  private async expire(store: RequestStore): Promise<number | undefined> {
    return (await store.expire(EXPIRY_BATCH)) === EXPIRY_BATCH ? EXPIRY_PAUSE : undefined;
  }

  private async check(): Promise<number | undefined> {
    try {
      // A small change can succeed on a disk that is almost full.
      await this.store?.check(this.problem !== undefined);
      this.recover();
      return undefined;
    } catch (error) {
      this.fail(error);
      return RETRY;
    }
  }

  /** Runs a part of a loop. A failure is reported, and the loop goes on. */
  private async guarded<T>(run: (store: RequestStore) => Promise<T>): Promise<T | undefined> {
    const { store } = this;
    if (store === undefined) return undefined;
    try {
      return await run(store);
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }

  private fail(error: unknown): void {
    if (this.closed) return;
    const err = reasonOf(error);
    const isNew = this.problem === undefined;
    this.problem = err.message;
    if (!isNew) return;
    this.logger.error({ err }, 'the store of requests cannot be used');
    // New requests are rejected until a check succeeds.
    if (this.store !== undefined) this.checking.start();
  }

  private recover(): void {
    if (this.problem !== undefined) this.logger.info({}, 'the store of requests can be used again');
    this.problem = undefined;
  }
}

/** Why the database failed, without what the error of a store adds. */
function reasonOf(error: unknown): Error {
  return toError(error instanceof StoreUnavailableError ? (error.cause ?? error) : error);
}

function unavailable(reason: string): StoreUnavailableError {
  return new StoreUnavailableError('STORE_UNAVAILABLE', reason, { status: 503, dispatched: false });
}
