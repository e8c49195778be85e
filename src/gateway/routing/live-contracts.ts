/**
 * routing: the route table, the routes of operations and pages, and the contracts that routers add.
 *
 * Keeps a registry up to date with the contracts that workers announce to remote routers. Each
 * router is watched with long polls of `$router.contracts` (docs/protocol/index.md), so that
 * changes arrive without delay.
 */

import { ContractError } from '../../contract/errors.ts';
import { toError } from '../../core/messages/errors.ts';
import type { InFlight, ReplyMessage, Requester } from '../../core/messages/message.ts';
import { Backoff } from '../../core/time/backoff.ts';
import { type Clock, systemClock } from '../../core/time/clock.ts';
import { runAtOnce, runInSlices, type SliceOptions, type Steps } from '../../core/time/steps.ts';
import type { ApiRegistry } from '../../openapi/index.ts';
import type { GatewayLogger } from '../common/api-source.ts';

/** How long contracts stay incomplete while a router does not respond, in ms. */
const STARTUP_TIMEOUT = 10_000;

/** Maximum number of paths in a listing that is processed in one go. */
const MAX_AT_ONCE = 50;

/** Timeout of one poll, in ms. */
const POLL_TIMEOUT = 25_000;

/** A contract in the listing of a router. */
interface ListedContract {
  readonly name: string;
  readonly fragment: unknown;
  /** Events that its operations may use; missing from routers of earlier versions. */
  readonly events?: readonly string[];
  readonly available: boolean;
}

/** The reply of a router. */
interface Listing {
  readonly revision: number;
  readonly contracts: readonly ListedContract[];
}

/** The version of a contract that one router has. */
interface RouterVersion {
  readonly text: string;
  readonly available: boolean;
}

/**
 * Keeps an {@link ApiRegistry} up to date with the contracts that workers announce to remote
 * routers. Pass it to {@link createGateway} as `contracts`, so that the gateway is ready only when
 * the contracts are complete.
 *
 * @example
 * ```ts
 * const registry = new ApiRegistry();
 * const contracts = new LiveContracts(registry, logger);
 * const client = new ZeroMQClient({ connection: 'tcp://router-1:5555' });
 * contracts.watch(client, 'tcp://router-1:5555');
 * const gateway = createGateway({ requester: client, api: registry, contracts });
 * ```
 */
export class LiveContracts {
  /** By name of the contract, then by router. */
  private readonly versions = new Map<string, Map<string, RouterVersion>>();
  /** The version in the registry, by name of the contract. */
  private readonly registered = new Map<string, string>();
  /** The last listing of each router of which a contract was rejected. */
  private readonly rejected = new Map<string, Listing>();
  private readonly polls = new Map<string, Poll>();
  /** Watched routers that have not replied yet. */
  private readonly unanswered = new Set<string>();
  private readonly completeAt: number;
  private anyAnswered = false;
  /** By router: the latest listing that waits until another one is processed. */
  private readonly waiting = new Map<string, Listing>();
  private readonly closing = new AbortController();
  private busy = false;
  private ready = false;

  /**
   * @param registry receives the contracts.
   * @param logger receives rejected contracts and failed polls.
   * @param clock replaces the system clock in tests.
   * @param slices options for the slices in which large contracts are processed, for tests.
   */
  constructor(
    private readonly registry: ApiRegistry,
    private readonly logger: GatewayLogger,
    private readonly clock: Clock = systemClock,
    private readonly slices: Pick<SliceOptions, 'now' | 'pause'> = {},
  ) {
    this.completeAt = clock.now() + STARTUP_TIMEOUT;
  }

  /**
   * Whether all watched routers have replied once, or 10,000 ms have passed since the start. Stays
   * true once it is.
   */
  get complete(): boolean {
    this.ready ||= (this.anyAnswered && this.unanswered.size === 0) || this.clock.now() >= this.completeAt;
    return this.ready;
  }

  /**
   * Starts to follow the contracts of a router, or continues with another requester.
   *
   * @param requester sends events to that router only.
   * @param router name of the router in logs and for {@link LiveContracts.forget}.
   * @throws {ZeroMQSocketClosed} when the requester is a client that was closed.
   */
  watch(requester: Requester, router: string): void {
    const poll = new Poll(requester, this.logger, router, (listing) => {
      this.waiting.set(router, listing);
      this.next();
    });
    this.polls.get(router)?.close();
    this.polls.set(router, poll);
    this.unanswered.add(router);
    poll.next(undefined);
  }

  /**
   * Stops following a router and removes its contracts, unless another router has them too.
   *
   * @param router name that was passed to {@link LiveContracts.watch}.
   */
  forget(router: string): void {
    this.polls.get(router)?.close();
    this.polls.delete(router);
    this.unanswered.delete(router);
    this.rejected.delete(router);
    this.waiting.delete(router);
    for (const [name, holders] of this.versions) if (holders.delete(router)) this.refresh(name);
  }

  /**
   * Returns the registered contracts of a router, and whether one of its workers serves each of
   * them.
   *
   * @param router name that was passed to {@link LiveContracts.watch}.
   */
  contractsOf(router: string): { name: string; available: boolean }[] {
    return [...this.versions].flatMap(([name, holders]) => {
      const version = holders.get(router);
      return version === undefined ? [] : [{ name, available: version.available }];
    });
  }

  /**
   * Returns the OpenAPI fragment of a contract, or undefined if no router has one of this name.
   *
   * @param name name of the contract.
   */
  fragment(name: string): unknown {
    const text = this.versions.has(name) ? this.registered.get(name) : undefined;
    return text === undefined ? undefined : JSON.parse(text);
  }

  /** Stops following all routers. The contracts stay in the registry. */
  close(): void {
    this.closing.abort();
    for (const poll of this.polls.values()) poll.close();
    this.polls.clear();
    this.waiting.clear();
  }

  /**
   * Processes the waiting listings one after the other. Large ones are processed in slices, so that
   * they do not block requests.
   */
  private next(): void {
    for (const [router, listing] of this.waiting) {
      if (this.busy) return;
      this.waiting.delete(router);
      const steps = this.processing(router, listing);
      if (sizeOf(listing) <= MAX_AT_ONCE) runAtOnce(steps);
      else void this.processInSlices(steps, router);
    }
  }

  private async processInSlices(steps: Steps<void>, router: string): Promise<void> {
    const { signal } = this.closing;
    this.busy = true;
    try {
      await runInSlices(steps, { ...this.slices, signal });
    } catch (error) {
      if (!signal.aborted)
        this.logger.error({ err: toError(error), router }, 'cannot process the contracts of a router');
    } finally {
      this.busy = false;
    }
    if (!signal.aborted) this.next();
  }

  private *processing(router: string, listing: Listing): Steps<void> {
    yield* this.update(router, listing);
    // Contracts that conflicted with those of this router may be valid now.
    for (const [other, old] of [...this.rejected]) if (other !== router) yield* this.update(other, old);
    if (!this.polls.has(router)) return;
    this.anyAnswered = true;
    this.unanswered.delete(router);
  }

  private *update(router: string, listing: Listing): Steps<void> {
    const named = new Set(listing.contracts.map(({ name }) => name));
    for (const [name, holders] of this.versions) {
      if (!named.has(name) && holders.delete(router)) this.refresh(name);
    }
    this.rejected.delete(router);
    for (const contract of listing.contracts) {
      const { name, available } = contract;
      const taken = yield* this.put(contract, router);
      // The router was forgotten between two steps: what it had counts no longer.
      if (!this.polls.has(router)) return this.refresh(name);
      if (!taken) {
        if (available) this.rejected.set(router, listing);
        continue;
      }
      const holders = this.versions.get(name) ?? new Map<string, RouterVersion>();
      this.versions.set(name, holders.set(router, { text: JSON.stringify(contract.fragment), available }));
      this.refresh(name);
    }
  }

  /** Registers a version, unless it is registered already. Returns false if it is rejected. */
  private *put({ name, fragment, events, available }: ListedContract, router: string): Steps<boolean> {
    const text = JSON.stringify(fragment);
    const current = this.registered.get(name);
    if (current === text && this.registry.has(name)) return true;
    try {
      if (current !== undefined && this.isServedElsewhere(name, current, router)) {
        const reason = yield* this.compare(current, text);
        // Another router has a newer version that can replace this one.
        if (reason !== undefined && (yield* this.compare(text, current)) === undefined) return true;
        if (reason !== undefined)
          throw new ContractError(`another router serves an incompatible version: ${reason}`);
      }
      yield* this.registry.putting(name, fragment, { kind: 'worker', available, events });
      this.registered.set(name, text);
      return true;
    } catch (error) {
      // Rejecting a contract that no worker serves has no effect.
      const level = available ? 'error' : 'debug';
      this.logger[level]({ err: toError(error), contract: name, router }, 'rejected a contract');
      return false;
    }
  }

  /** Whether workers of another router serve a version. */
  private isServedElsewhere(name: string, text: string, router: string): boolean {
    const holders = this.versions.get(name) ?? [];
    return [...holders].some(
      ([other, version]) => other !== router && version.available && version.text === text,
    );
  }

  /** Why a version cannot replace another one; undefined if it can. */
  private *compare(before: string, after: string): Steps<string | undefined> {
    return (yield* this.registry.comparing(JSON.parse(before), JSON.parse(after))).reason;
  }

  private refresh(name: string): void {
    const available = [...(this.versions.get(name)?.values() ?? [])].some((version) => version.available);
    this.registry.setAvailable(name, available);
  }
}

/** The number of paths in all contracts of a listing. */
function sizeOf({ contracts }: Listing): number {
  return contracts.reduce((sum, { fragment }) => sum + pathsIn(fragment), 0);
}

function pathsIn(fragment: unknown): number {
  if (typeof fragment !== 'object' || fragment === null || !('paths' in fragment)) return 0;
  const { paths } = fragment;
  return typeof paths === 'object' && paths !== null ? Object.keys(paths).length : 0;
}

/** The long poll of one router. */
class Poll {
  private readonly backoff = new Backoff({ initial: 250, max: 5000 });
  private inFlight: InFlight | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly requester: Requester,
    private readonly logger: GatewayLogger,
    private readonly router: string,
    private readonly onListing: (listing: Listing) => void,
  ) {}

  /** Requests the listing when it differs from a revision. */
  next(since: number | undefined): void {
    if (this.closed) return;
    const body = Buffer.from(JSON.stringify({ since }));
    const request = { eventName: '$router.contracts', body, timeout: POLL_TIMEOUT, idempotent: true };
    this.inFlight = this.requester.request(request, (reply) => this.onReply(since, reply));
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.inFlight?.cancel();
  }

  private onReply(since: number | undefined, reply: ReplyMessage): void {
    if (this.closed) return;
    const listing = reply.code === '' ? readListing(reply) : undefined;
    if (listing === undefined) {
      const { router } = this;
      this.logger.debug({ router, code: reply.code }, 'cannot read the contracts of a router; trying again');
      this.timer = setTimeout(() => this.next(undefined), this.backoff.next()).unref();
      return;
    }
    this.backoff.reset();
    if (listing.revision !== since) this.onListing(listing);
    this.next(listing.revision);
  }
}

function readListing(reply: ReplyMessage): Listing | undefined {
  try {
    const value = JSON.parse(reply.body.toString()) as Partial<Listing> | null;
    return typeof value?.revision === 'number' && Array.isArray(value.contracts)
      ? (value as Listing)
      : undefined;
  } catch {
    return undefined;
  }
}
