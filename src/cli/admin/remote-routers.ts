/**
 * Routers in other processes, as the admin listener of a gateway shows them. Each is asked by its own events, with the key of the
 * gateway, and so tells and does what it lets that key know and do: the listener gives nobody a right that the gateway lacks.
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

/** Time for an answer, ms; the primary of a fleet waits longer for that of its members. */
const PATIENCE = 500;

/** A router that does not tell the gateway's key anything is asked again after so long (ms). */
const ASK_AGAIN = 15_000;

/** What is remembered of a router between two looks. */
interface Memory {
  readonly workers: readonly WorkerReport[];
  /** Why it does not tell, and until when it is taken at its word. */
  readonly refusal?: { readonly why: string; readonly until: number };
}

/** What the routers told. */
interface Sight {
  readonly routers: RouterSnapshot[];
  readonly silent: SilentRouter[];
  /** Workers that were there at the look before. */
  readonly departed: DepartedWorker[];
}

export class RemoteRouters {
  private memories = new Map<string, Memory>();

  constructor(
    private readonly followed: ContractFollower,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Asks all of them. */
  async look(): Promise<Sight> {
    const sight: Sight = { routers: [], silent: [], departed: [] };
    const memories = new Map<string, Memory>();
    const names = [...this.followed.clients.keys()];
    await Promise.all(names.map((name) => this.lookAt(name, sight, memories)));
    this.memories = memories;
    return sight;
  }

  /** OpenAPI fragment of a contract that one of them has. */
  contract(name: string): unknown {
    return this.followed.contracts.fragment(name);
  }

  /** Has all of them give a worker nothing more, or again. */
  drainWorker(id: string, drain: boolean): Promise<ActionOutcome> {
    return this.wish((desk) => desk.drain(id, drain));
  }

  /** Has requests of an event wait at all of them, or go on. */
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
      const refusal = TELLS_NOTHING.has(code) ? { why, until: this.clock.now() + ASK_AGAIN } : undefined;
      memories.set(name, { workers: before?.workers ?? [], ...(refusal && { refusal }) });
    }
  }

  private missed(before: readonly WorkerReport[], now: readonly WorkerReport[]): DepartedWorker[] {
    const there = new Set(now.map(({ id }) => id));
    return before
      .filter(({ id }) => !there.has(id))
      .map(({ id, held }) => ({ id, reason: 'the router knows it no more', held, at: this.clock.wall() }));
  }

  /** Done where one router did it; those that know nothing of it need not. */
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

/** Its key gives the gateway no right to know, or the router is too old to tell. */
const TELLS_NOTHING: ReadonlySet<string> = new Set(['NOT_PERMITTED', 'NO_WORKER']);

function explained(error: unknown): string {
  const { message } = toError(error);
  return error instanceof ZeroMQError ? `${error.code}: ${message}` : message;
}
