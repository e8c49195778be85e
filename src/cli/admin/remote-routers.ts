/**
 * Routers in other processes, as shown by the admin listener of a gateway. Each is queried through
 * its built-in events with the gateway's key. The listener can therefore read and change only what
 * the router permits that key.
 */

import { toError, ZeroMQError } from '../../core/messages/errors.ts';
import type { WorkerReport } from '../../core/observability/reports.ts';
import { type Clock, systemClock } from '../../core/time/clock.ts';
import type {
  ActionOutcome,
  DepartedWorker,
  RouterSnapshot,
  UnavailableRouter,
} from '../../gateway/admin/index.ts';
import type { FollowedRouters } from './contract-follower.ts';
import { type RouterAdminClient, routerAdminClient } from './router-admin-client.ts';

/**
 * Timeout of each query in milliseconds. It is shorter than the time the primary of a cluster waits
 * for its members.
 */
const QUERY_TIMEOUT = 500;

/**
 * Time, in milliseconds, before a router that rejects queries from the gateway's key is queried
 * again.
 */
const REJECTION_RETRY = 15_000;

/** State kept for a router between two queries. */
interface RouterState {
  readonly workers: readonly WorkerReport[];
  /** Why the router rejected the query, and until when it is not queried again. */
  readonly refusal?: { readonly reason: string; readonly until: number };
}

/** Result of a query of all routers. */
interface RoutersView {
  readonly routers: RouterSnapshot[];
  readonly unavailable: UnavailableRouter[];
  /** Workers that an earlier query returned and this one does not. */
  readonly departed: DepartedWorker[];
}

export class RemoteRouters {
  private states = new Map<string, RouterState>();

  constructor(
    private readonly followed: FollowedRouters,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Queries all routers. */
  async query(): Promise<RoutersView> {
    const view: RoutersView = { routers: [], unavailable: [], departed: [] };
    const states = new Map<string, RouterState>();
    const names = [...this.followed.clients.keys()];
    await Promise.all(names.map((name) => this.queryRouter(name, view, states)));
    this.states = states;
    return view;
  }

  /** Returns the OpenAPI fragment of a contract that one of the routers has. */
  contract(name: string): unknown {
    return this.followed.contracts.fragment(name);
  }

  /** Makes all routers stop sending requests to a worker, or resume. */
  drainWorker(id: string, drain: boolean): Promise<ActionOutcome> {
    return this.applyToAll((adminClient) => adminClient.drain(id, drain));
  }

  /** Makes all routers pause an event, or resume it. */
  pauseEvent(name: string, pause: boolean): Promise<ActionOutcome> {
    return this.applyToAll((admin) => admin.pause(name, pause));
  }

  private admin(name: string): RouterAdminClient | undefined {
    const client = this.followed.clients.get(name);
    return client === undefined ? undefined : routerAdminClient(client, QUERY_TIMEOUT);
  }

  private async queryRouter(
    name: string,
    view: RoutersView,
    states: Map<string, RouterState>,
  ): Promise<void> {
    const before = this.states.get(name);
    const contracts = this.followed.contracts.contractsOf(name);
    const admin = this.admin(name);
    if (admin === undefined) return;
    if (before?.refusal !== undefined && this.clock.now() < before.refusal.until) {
      states.set(name, before);
      view.unavailable.push({ router: name, reason: before.refusal.reason, contracts });
      return;
    }
    try {
      const [info, requests] = await Promise.all([admin.info(), admin.stats()]);
      view.routers.push({ ...info, requests, contracts });
      view.departed.push(...this.departedWorkers(before?.workers ?? [], info.workers));
      states.set(name, { workers: info.workers });
    } catch (error) {
      const reason = describe(error);
      view.unavailable.push({ router: name, reason, contracts });
      const { code = '' } = error as { code?: string };
      const refusal = REJECTION_CODES.has(code)
        ? { reason, until: this.clock.now() + REJECTION_RETRY }
        : undefined;
      states.set(name, { workers: before?.workers ?? [], ...(refusal && { refusal }) });
    }
  }

  private departedWorkers(before: readonly WorkerReport[], now: readonly WorkerReport[]): DepartedWorker[] {
    const known = new Set(now.map(({ id }) => id));
    return before
      .filter(({ id }) => !known.has(id))
      .map(({ id, name, inFlight }) => ({
        id,
        name,
        reason: 'no longer known to the router',
        held: inFlight,
        at: this.clock.wall(),
      }));
  }

  /**
   * Resolves with `done` if at least one router succeeded; routers without the worker or event do
   * not matter.
   */
  private async applyToAll(act: (admin: RouterAdminClient) => Promise<void>): Promise<ActionOutcome> {
    const names = [...this.followed.clients.keys()];
    const outcomes = await Promise.all(
      names.map(async (name): Promise<ActionOutcome> => {
        const admin = this.admin(name);
        if (admin === undefined) return 'unknown';
        try {
          await act(admin);
          return 'done';
        } catch (error) {
          if (error instanceof ZeroMQError && error.code === 'INVALID_REQUEST') return 'unknown';
          const status = error instanceof ZeroMQError ? error.status : 500;
          return { status, detail: `${name}: ${describe(error)}` };
        }
      }),
    );
    if (outcomes.includes('done')) return 'done';
    return outcomes.find((outcome) => outcome !== 'unknown') ?? 'unknown';
  }
}

/** Codes of routers that do not permit the query or do not support it. */
const REJECTION_CODES: ReadonlySet<string> = new Set(['NOT_PERMITTED', 'NO_WORKER']);

function describe(error: unknown): string {
  const { message } = toError(error);
  return error instanceof ZeroMQError ? `${error.code}: ${message}` : message;
}
