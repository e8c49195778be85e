/**
 * What callers have stored, counted in memory: the file belongs to one process. The counts follow
 * the changes of a transaction, and are read again after one that failed.
 */
import type { RequestState } from '../model/states.ts';
import type { StoreLimits } from '../model/store.ts';
import type { SqliteDatabase } from './driver.ts';

interface Used {
  requests: number;
  bytes: number;
}

export class Usage {
  readonly total: Used = { requests: 0, bytes: 0 };
  readonly states = new Map<RequestState, number>();
  private readonly callers = new Map<string, Used>();
  private readonly database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    this.database = database;
    this.read();
  }

  /** Counts the stored requests. */
  read(): void {
    this.callers.clear();
    this.states.clear();
    this.total.requests = this.total.bytes = 0;
    const groups = this.database
      .prepare(
        'SELECT caller, state, count(*) AS requests, sum(bytes) AS bytes FROM requests GROUP BY caller, state',
      )
      .all({}) as (Used & { caller: string; state: RequestState })[];
    for (const { caller, state, requests, bytes } of groups) this.add(caller, state, requests, bytes);
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
  add(caller: string, state: RequestState, requests: number, bytes: number): void {
    const own = this.callers.get(caller) ?? { requests: 0, bytes: 0 };
    own.requests += requests;
    own.bytes += bytes;
    if (own.requests === 0) this.callers.delete(caller);
    else this.callers.set(caller, own);
    this.total.requests += requests;
    this.total.bytes += bytes;
    this.states.set(state, (this.states.get(state) ?? 0) + requests);
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
}
