/**
 * sqlite: the store of one gateway, a file. It runs in a thread of its own and writes changes in
 * groups.
 *
 * The changes of the SQLite store. Each runs within a transaction, and none throws for bad input.
 */
import type { Clock } from '../../core/time/clock.ts';
import type { ClaimedRequest, Hold, NewRequest, Outcome } from '../model/request.ts';
import { claimedRequest, holdOf, type PayloadRow, type RequestRow, storedRequest } from '../model/rows.ts';
import { isFinal, isTransition, type RequestState } from '../model/states.ts';
import type { Cancellation, Creation, Renewal, StoreLimits } from '../model/store.ts';
import type { Statements } from './statements.ts';
import type { Usage } from './usage.ts';

/** The columns of a new request that are the same for all. */
const NEW = {
  attempt: 1,
  cancel_requested: 0,
  finished_at: null,
  expires_at: null,
  progress: null,
  status: null,
  code: null,
} as const;

/** The columns of a request that a change of it needs: reading all of them takes longer. */
type HeldRow = Pick<
  RequestRow,
  'seq' | 'id' | 'caller' | 'state' | 'cancel_requested' | 'owner' | 'attempt' | 'retention' | 'bytes'
>;

function existing(former: RequestRow): Creation {
  return { outcome: 'existing', request: storedRequest(former) };
}

export class Changes {
  private readonly statements: Statements;
  private readonly usage: Usage;
  private readonly limits: StoreLimits;
  private readonly clock: Clock;

  constructor(statements: Statements, usage: Usage, limits: StoreLimits, clock: Clock) {
    this.statements = statements;
    this.usage = usage;
    this.limits = limits;
    this.clock = clock;
  }

  create(request: NewRequest): Creation {
    const bytes = request.data.length + request.metadata.length;
    const limit = this.usage.exceeded(request.caller, bytes, this.limits);
    if (limit !== undefined) {
      // A former request is found even if no other one can be stored.
      const former = this.former(request);
      return former === undefined ? { outcome: 'full', limit } : existing(former);
    }
    // Most keys are new: their requests need one statement.
    const row = this.insert(request, bytes);
    if (row !== undefined) return this.created(request, row);
    const former = this.former(request);
    if (former !== undefined) return existing(former);
    return this.created(request, this.insert(request, bytes) as RequestRow);
  }

  start(hold: Hold): boolean {
    return this.move(hold, 'running', 'start', { now: this.clock.wall() });
  }

  requeue(hold: Hold): boolean {
    return this.move(hold, 'accepted', 'requeue', {});
  }

  finish(hold: Hold, outcome: Outcome): boolean {
    const row = this.held(hold);
    if (row === undefined || !isTransition(row.state, outcome.state)) return false;
    this.end(row, outcome);
    return true;
  }

  progress(hold: Hold, json: string): boolean {
    const row = this.held(hold);
    if (row === undefined || isFinal(row.state)) return false;
    this.statements.run('progress', { seq: row.seq, progress: json });
    return true;
  }

  cancel(id: string, caller: string | undefined): Cancellation {
    const row = this.byId(id);
    if (row === undefined || (caller !== undefined && row.caller !== caller)) return 'missing';
    if (isFinal(row.state)) return 'ended';
    if (row.state === 'running') {
      this.statements.run('requestCancel', { seq: row.seq });
      return 'requested';
    }
    this.end(row, { state: 'cancelled', code: 'CANCELLED' });
    return 'cancelled';
  }

  renew(holds: readonly Hold[], lease: number): Renewal {
    const lost: string[] = [];
    const cancelRequested: string[] = [];
    for (const hold of holds) {
      const row = this.held(hold);
      if (row === undefined || isFinal(row.state)) {
        lost.push(hold.id);
        continue;
      }
      this.statements.run('lease', { seq: row.seq, until: this.leaseEnd(lease) });
      if (row.cancel_requested !== 0) cancelRequested.push(row.id);
    }
    return { lost, cancelRequested };
  }

  claim(owner: string, lease: number, limit: number): ClaimedRequest[] {
    const rows = this.statements.rows<RequestRow>('leasesOver', { now: this.leaseEnd(0), limit });
    return rows.map((row) => {
      this.statements.run('claim', { seq: row.seq, owner, until: this.leaseEnd(lease) });
      const payload = this.statements.row<PayloadRow>('payload', { seq: row.seq });
      return claimedRequest({ ...row, owner, attempt: row.attempt + 1 }, payload);
    });
  }

  release(holds: readonly Hold[]): void {
    for (const hold of holds) {
      const row = this.held(hold);
      if (row !== undefined) this.statements.run('lease', { seq: row.seq, until: -1 });
    }
  }

  expire(limit: number): number {
    const rows = this.statements.rows<RequestRow>('expired', { now: this.clock.wall(), limit });
    for (const row of rows) this.delete(row);
    return rows.length;
  }

  /** Undefined if the id or the key is stored already. */
  private insert(request: NewRequest, bytes: number): RequestRow | undefined {
    const now = this.clock.wall();
    const columns = {
      id: request.id,
      caller: request.caller,
      event: request.event,
      key: request.key ?? null,
      fingerprint: request.fingerprint,
      state: request.state,
      idempotent: Number(request.idempotent),
      owner: request.owner,
      timeout: request.timeout,
      retention: request.retention,
      bytes,
      created_at: now,
      started_at: request.state === 'running' ? now : null,
    };
    const lease_until = this.leaseEnd(request.lease);
    const inserted = this.statements.row<{ seq: number }>('insert', { ...columns, lease_until });
    return inserted && { ...columns, ...NEW, seq: inserted.seq };
  }

  private created({ data, metadata, caller, state }: NewRequest, row: RequestRow): Creation {
    if (row.bytes > 0) this.statements.run('insertPayload', { seq: row.seq, data, metadata });
    this.usage.add(caller, state, 1, row.bytes);
    return { outcome: 'created', request: storedRequest(row), hold: holdOf(row) };
  }

  private byId(id: string): RequestRow | undefined {
    return this.statements.row<RequestRow>('byId', { id });
  }

  /** The former request with the id or key; one whose retention is over is deleted, and not found. */
  private former({ id, caller, event, key }: NewRequest): RequestRow | undefined {
    // The gateway repeats a request with the same id if it does not know whether it was stored.
    const same = this.byId(id);
    if (same !== undefined || key === undefined) return same;
    const row = this.statements.row<RequestRow>('byKey', { caller, event, key });
    if (row === undefined || row.expires_at === null || row.expires_at > this.clock.wall()) return row;
    this.delete(row);
    return undefined;
  }

  private held({ id, owner, attempt }: Hold): HeldRow | undefined {
    const row = this.statements.row<HeldRow>('held', { id });
    return row?.owner === owner && row.attempt === attempt ? row : undefined;
  }

  private move(
    hold: Hold,
    state: RequestState,
    statement: 'start' | 'requeue',
    parameters: { now?: number },
  ): boolean {
    const row = this.held(hold);
    if (row === undefined || !isTransition(row.state, state)) return false;
    this.statements.run(statement, { ...parameters, seq: row.seq });
    this.usage.change(row.caller, row, { state, bytes: row.bytes });
    return true;
  }

  private end(row: HeldRow, { state, code, result, retention = row.retention }: Outcome): void {
    const now = this.clock.wall();
    const headers = JSON.stringify(result?.headers ?? []);
    const bytes = result === undefined ? 0 : result.body.length + headers.length;
    this.statements.run('finish', {
      seq: row.seq,
      state,
      now,
      expires_at: now + retention,
      bytes,
      status: result?.status ?? null,
      code,
    });
    // Until a request ends, its bytes are those of its payload.
    if (row.bytes > 0) this.statements.run('deletePayload', { seq: row.seq });
    if (result !== undefined)
      this.statements.run('insertResult', { seq: row.seq, headers, body: result.body });
    this.usage.change(row.caller, row, { state, bytes });
  }

  private delete(row: RequestRow): void {
    this.statements.run('deletePayload', { seq: row.seq });
    this.statements.run('deleteResult', { seq: row.seq });
    this.statements.run('delete', { seq: row.seq });
    this.usage.add(row.caller, row.state, -1, -row.bytes);
  }

  /** Leases use monotonic time: they end with the process, and a set clock does not end them. */
  private leaseEnd(lease: number): number {
    return Math.round(this.clock.now() + lease);
  }
}
