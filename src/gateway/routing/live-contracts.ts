/**
 * Contracts that workers announced, fetched from routers elsewhere and kept in a registry: a long poll of each router's
 * `$router.contracts` (docs/protocol/index.md), so that a change is here as soon as the router has it.
 */

import { ContractError } from '../../contract/errors.ts';
import { toError } from '../../core/messages/errors.ts';
import type { InFlight, ReplyMessage, Requester } from '../../core/messages/message.ts';
import { Backoff } from '../../core/time/backoff.ts';
import { type Clock, systemClock } from '../../core/time/clock.ts';
import { runAtOnce, runInSlices, type SliceOptions, type Steps } from '../../core/time/steps.ts';
import type { ApiRegistry } from '../../openapi/index.ts';
import type { GatewayLogger } from '../common/api-source.ts';

/** How long (ms) a router that does not answer keeps the contracts from being complete. */
const STARTUP_TIMEOUT = 10_000;

/** Most paths in the contracts of a listing that is taken in at once. */
const MAX_AT_ONCE = 50;

/** Longest that a poll is under way, in ms. */
const POLL_TIMEOUT = 25_000;

/** A contract as a router lists it. */
interface ListedContract {
  readonly name: string;
  readonly fragment: unknown;
  /** Events that its operations may lead to; a router of an earlier version does not say. */
  readonly events?: readonly string[];
  readonly available: boolean;
}

/** A router's answer. */
interface Listing {
  readonly revision: number;
  readonly contracts: readonly ListedContract[];
}

/** A contract as one router has it. */
interface RouterVersion {
  readonly text: string;
  readonly available: boolean;
}

/** The contracts of all routers that are watched, in one registry. */
export class LiveContracts {
  /** By name of the contract: which routers have it, in which version, and whether a worker serves it there. */
  private readonly versions = new Map<string, Map<string, RouterVersion>>();
  /** The versions in the registry. */
  private readonly registered = new Map<string, string>();
  /** By router: what it listed last, where some of that was refused. */
  private readonly rejected = new Map<string, Listing>();
  private readonly polls = new Map<string, Poll>();
  /** Routers that are watched and have not answered yet. */
  private readonly unanswered = new Set<string>();
  private readonly completeAt: number;
  private anyAnswered = false;
  /** By router: the latest listing that waits until another one is taken in. */
  private readonly waiting = new Map<string, Listing>();
  private readonly closing = new AbortController();
  private busy = false;
  private ready = false;

  /**
   * @param clock for tests.
   * @param slices how the work on large contracts is cut, for tests.
   */
  constructor(
    private readonly registry: ApiRegistry,
    private readonly logger: GatewayLogger,
    private readonly clock: Clock = systemClock,
    private readonly slices: Pick<SliceOptions, 'now' | 'pause'> = {},
  ) {
    this.completeAt = clock.now() + STARTUP_TIMEOUT;
  }

  /** Whether all routers that are watched have answered once, or the time for that is over. Stays true. */
  get complete(): boolean {
    this.ready ||= (this.anyAnswered && this.unanswered.size === 0) || this.clock.now() >= this.completeAt;
    return this.ready;
  }

  /**
   * Follows the contracts of one router.
   *
   * @param requester leads to that router and no other.
   * @param router a name for it, in logs.
   */
  watch(requester: Requester, router: string): void {
    const poll = new Poll(requester, this.logger, router, (listing) => {
      this.waiting.set(router, listing);
      this.next();
    });
    this.polls.set(router, poll);
    this.unanswered.add(router);
    poll.next(undefined);
  }

  /** The router is none of ours any more, and what it has counts no longer. */
  forget(router: string): void {
    this.polls.get(router)?.close();
    this.polls.delete(router);
    this.unanswered.delete(router);
    this.rejected.delete(router);
    this.waiting.delete(router);
    for (const [name, holders] of this.versions) if (holders.delete(router)) this.refresh(name);
  }

  /** The contracts that a router has told of and that are in the registry, and whether a worker serves each there. */
  contractsOf(router: string): { name: string; available: boolean }[] {
    return [...this.versions].flatMap(([name, holders]) => {
      const held = holders.get(router);
      return held === undefined ? [] : [{ name, available: held.available }];
    });
  }

  /** OpenAPI fragment of a contract; undefined where there is none of the name. */
  fragment(name: string): unknown {
    const text = this.versions.has(name) ? this.registered.get(name) : undefined;
    return text === undefined ? undefined : JSON.parse(text);
  }

  /** Stops following. What is in the registry stays. */
  close(): void {
    this.closing.abort();
    for (const poll of this.polls.values()) poll.close();
    this.polls.clear();
    this.waiting.clear();
  }

  /** Takes in the listings that wait, one after the other: a large one in slices, between which requests go on. */
  private next(): void {
    for (const [router, listing] of this.waiting) {
      if (this.busy) return;
      this.waiting.delete(router);
      const steps = this.takingIn(router, listing);
      if (sizeOf(listing) <= MAX_AT_ONCE) runAtOnce(steps);
      else void this.takeInSlices(steps, router);
    }
  }

  private async takeInSlices(steps: Steps<void>, router: string): Promise<void> {
    const { signal } = this.closing;
    this.busy = true;
    try {
      await runInSlices(steps, { ...this.slices, signal });
    } catch (error) {
      if (!signal.aborted)
        this.logger.error({ err: toError(error), router }, 'the contracts of a router cannot be taken in');
    } finally {
      this.busy = false;
    }
    if (!signal.aborted) this.next();
  }

  private *takingIn(router: string, listing: Listing): Steps<void> {
    yield* this.update(router, listing);
    // What clashed with a contract of another router may fit now.
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

  /** Takes a fragment in, unless it is there already. False when it is refused. */
  private *put({ name, fragment, events, available }: ListedContract, router: string): Steps<boolean> {
    const text = JSON.stringify(fragment);
    const current = this.registered.get(name);
    if (current === text && this.registry.has(name)) return true;
    try {
      if (current !== undefined && this.isServedElsewhere(name, current, router)) {
        const reason = yield* this.compare(current, text);
        // Another router has a later version, which stands in for this one.
        if (reason !== undefined && (yield* this.compare(text, current)) === undefined) return true;
        if (reason !== undefined)
          throw new ContractError(`another router has a version that differs: ${reason}`);
      }
      yield* this.registry.putting(name, fragment, { kind: 'worker', available, events });
      this.registered.set(name, text);
      return true;
    } catch (error) {
      // One that nobody serves is no loss.
      const level = available ? 'error' : 'debug';
      this.logger[level]({ err: toError(error), contract: name, router }, 'a contract was refused');
      return false;
    }
  }

  /** Whether workers behind another router serve that version. */
  private isServedElsewhere(name: string, text: string, router: string): boolean {
    const holders = this.versions.get(name) ?? [];
    return [...holders].some(([other, held]) => other !== router && held.available && held.text === text);
  }

  /** Why one version cannot stand in for another; undefined when it can. */
  private *compare(before: string, after: string): Steps<string | undefined> {
    return (yield* this.registry.comparing(JSON.parse(before), JSON.parse(after))).reason;
  }

  private refresh(name: string): void {
    const available = [...(this.versions.get(name)?.values() ?? [])].some((held) => held.available);
    this.registry.setAvailable(name, available);
  }
}

/** How many paths the contracts of a listing have. */
function sizeOf({ contracts }: Listing): number {
  return contracts.reduce((sum, { fragment }) => sum + pathsIn(fragment), 0);
}

function pathsIn(fragment: unknown): number {
  if (typeof fragment !== 'object' || fragment === null || !('paths' in fragment)) return 0;
  const { paths } = fragment;
  return typeof paths === 'object' && paths !== null ? Object.keys(paths).length : 0;
}

/** One router's long poll. */
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

  /** Asks for what is new since a revision. */
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
      this.logger.debug({ router, code: reply.code }, 'the router did not tell its contracts; asking again');
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
