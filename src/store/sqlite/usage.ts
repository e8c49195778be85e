/**
 * What callers have stored, counted in memory: the file belongs to one process. The counts follow
 * the changes of a transaction, and go back to those before it if it fails. Reading them again would
 * take seconds with a million requests, for each failure of a full disk.
 */
import type { RequestState } from '../model/states.ts';
import type { StoreLimits } from '../model/store.ts';
import type { SqliteDatabase } from './driver.ts';
import type { TransactionObserver } from './group-commit.ts';

interface Used {
  requests: number;
  bytes: number;
}

type Addition = readonly [caller: string, state: RequestState, requests: number, bytes: number];

export class Usage implements TransactionObserver {
  readonly total: Used = { requests: 0, bytes: 0 };
  readonly states = new Map<RequestState, number>();
  private readonly callers = new Map<string, Used>();
  /** Those of the current transaction. */
  private additions: Addition[] = [];

  /** Counts the stored requests. */
  constructor(database: SqliteDatabase) {
    const groups = database
      .prepare(
        'SELECT caller, state, count(*) AS requests, sum(bytes) AS bytes FROM requests GROUP BY caller, state',
      )
      .all({}) as (Used & { caller: string; state: RequestState })[];
    for (const { caller, state, requests, bytes } of groups) this.count(caller, state, requests, bytes);
  }

  committed(): void {
    this.additions = [];
  }

  rolledBack(): void {
    // The last one first: a caller is forgotten when it has no requests, and then it has no bytes.
    for (const [caller, state, requests, bytes] of this.additions.reverse())
      this.count(caller, state, -requests, -bytes);
    this.additions = [];
  }

  /** The limit that another request of `bytes` would exceed. */
  exceeded(caller: string, bytes: number, limits: StoreLimits): keyof StoreLimits | undefined {
    const own = this.callers.get(caller);
    if ((own?.requests ?? 0) >= limits.requestsPerCaller) return 'requestsPerCaller';
    if ((own?.bytes ?? 0) + bytes > limits.bytesPerCaller) return 'bytesPerCaller';
    if (this.total.requests >= limits.requests) return 'requests';
    if (this.total.bytes + bytes > limits.bytes) return 'bytes';
    return undefined;
  }

  /** Adds requests and bytes; negative numbers remove them. */
  add(...addition: Addition): void {
    this.additions.push(addition);
    this.count(...addition);
  }

  /** Counts a request whose state or size changed. */
  change(
    caller: string,
    from: { state: RequestState; bytes: number },
    to: { state: RequestState; bytes: number },
  ): void {
    this.add(caller, to.state, 1, to.bytes);
    this.add(caller, from.state, -1, -from.bytes);
  }

  private count(caller: string, state: RequestState, requests: number, bytes: number): void {
    const own = this.callers.get(caller) ?? { requests: 0, bytes: 0 };
    own.requests += requests;
    own.bytes += bytes;
    if (own.requests === 0) this.callers.delete(caller);
    else this.callers.set(caller, own);
    this.total.requests += requests;
    this.total.bytes += bytes;
    this.states.set(state, (this.states.get(state) ?? 0) + requests);
  }
}
