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
  SilentRouter,
} from '../../gateway/admin/index.ts';
import type { ContractFollower } from './contract-follower.ts';
import { type RouterAdminClient, routerAdminClient } from './router-admin-client.ts';

/**
 * Timeout of each query in milliseconds. It is shorter than the time the primary of a cluster waits
 * for its members.
 */
const PATIENCE = 500;

/**
 * Time, in milliseconds, before a router that rejects queries from the gateway's key is queried
 * again.
 */
const HELLO_BACKOFF = 15_000;

/** State kept for a router between two queries. */
interface Memory {
  readonly workers: readonly WorkerReport[];
  /** Why the router rejected the query, and until when it is not queried again. */
  readonly refusal?: { readonly why: string; readonly until: number };
}

/** Result of a query of all routers. */
interface Sight {
  readonly routers: RouterSnapshot[];
  readonly silent: SilentRouter[];
  /** Workers that an earlier query returned and this one does not. */
  readonly departed: DepartedWorker[];
}

export class RemoteRouters {
  private memories = new Map<string, Memory>();

  constructor(
    private readonly followed: ContractFollower,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Queries all routers. */
  async look(): Promise<Sight> {
    const sight: Sight = { routers: [], silent: [], departed: [] };
    const memories = new Map<string, Memory>();
    const names = [...this.followed.clients.keys()];
    await Promise.all(names.map((name) => this.lookAt(name, sight, memories)));
    this.memories = memories;
    return sight;
  }

  /** Returns the OpenAPI fragment of a contract that one of the routers has. */
  contract(name: string): unknown {
    return this.followed.contracts.fragment(name);
  }

  /** Makes all routers stop sending requests to a worker, or resume. */
  drainWorker(id: string, drain: boolean): Promise<ActionOutcome> {
    return this.wish((desk) => desk.drain(id, drain));
  }

  /** Makes all routers pause an event, or resume it. */
  pauseEvent(name: string, pause: boolean): Promise<ActionOutcome> {
    return this.wish((desk) => desk.pause(name, pause));
  }

  private desk(name: string): RouterAdminClient | undefined {
    const client = this.followed.clients.get(name);
    return client === undefined ? undefined : routerAdminClient(client, PATIENCE);
  }

  private async lookAt(name: string, sight: Sight, memories: Map<string, Memory>): Promise<void> {
    const before = this.memories.get(name);
    const contracts = this.followed.contracts.contractsOf(name);
    const desk = this.desk(name);
    if (desk === undefined) return;
    if (before?.refusal !== undefined && this.clock.now() < before.refusal.until) {
      memories.set(name, before);
      sight.silent.push({ router: name, why: before.refusal.why, contracts });
      return;
    }
    try {
      const [info, requests] = await Promise.all([desk.info(), desk.stats()]);
      sight.routers.push({ ...info, requests, contracts });
      sight.departed.push(...this.missed(before?.workers ?? [], info.workers));
      memories.set(name, { workers: info.workers });
    } catch (error) {
      const why = explained(error);
      sight.silent.push({ router: name, why, contracts });
      const { code = '' } = error as { code?: string };
      const refusal = TELLS_NOTHING.has(code) ? { why, until: this.clock.now() + HELLO_BACKOFF } : undefined;
      memories.set(name, { workers: before?.workers ?? [], ...(refusal && { refusal }) });
    }
  }

  private missed(before: readonly WorkerReport[], now: readonly WorkerReport[]): DepartedWorker[] {
    const there = new Set(now.map(({ id }) => id));
    return before
      .filter(({ id }) => !there.has(id))
      .map(({ id, held }) => ({ id, reason: 'the router knows it no more', held, at: this.clock.wall() }));
  }

  /**
   * Resolves with `done` if at least one router succeeded; routers without the worker or event do
   * not matter.
   */
  private async wish(act: (desk: RouterAdminClient) => Promise<void>): Promise<ActionOutcome> {
    const names = [...this.followed.clients.keys()];
    const outcomes = await Promise.all(
      names.map(async (name): Promise<ActionOutcome> => {
        const desk = this.desk(name);
        if (desk === undefined) return 'unknown';
        try {
          await act(desk);
          return 'done';
        } catch (error) {
          if (error instanceof ZeroMQError && error.code === 'INVALID_REQUEST') return 'unknown';
          const status = error instanceof ZeroMQError ? error.status : 500;
          return { status, detail: `${name}: ${explained(error)}` };
        }
      }),
    );
    if (outcomes.includes('done')) return 'done';
    return outcomes.find((outcome) => outcome !== 'unknown') ?? 'unknown';
  }
}

/** Codes of routers that do not permit the query or do not support it. */
const TELLS_NOTHING: ReadonlySet<string> = new Set(['NOT_PERMITTED', 'NO_WORKER']);

function explained(error: unknown): string {
  const { message } = toError(error);
  return error instanceof ZeroMQError ? `${error.code}: ${message}` : message;
}
