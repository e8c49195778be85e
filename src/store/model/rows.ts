/** Rows of the tables, which have the same columns in both databases, and what the interface makes of them. */
import { NO_BYTES } from '../../core/messages/message.ts';
import type { ClaimedRequest, Hold, StoredRequest } from './request.ts';
import type { RequestState } from './states.ts';

export interface RequestRow {
  /** Joins the tables; SQLite only. */
  readonly seq: number;
  readonly id: string;
  readonly caller: string;
  readonly event: string;
  readonly key: string | null;
  readonly fingerprint: Bytes;
  readonly state: RequestState;
  readonly idempotent: number;
  readonly cancel_requested: number;
  readonly owner: string;
  readonly attempt: number;
  readonly timeout: number;
  readonly retention: number;
  readonly bytes: number;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly expires_at: number | null;
  readonly progress: string | null;
  readonly status: number | null;
  readonly code: string | null;
}

export interface PayloadRow {
  readonly data: Bytes;
  readonly metadata: Bytes;
}

export function storedRequest(row: RequestRow): StoredRequest {
  return {
    id: row.id,
    caller: row.caller,
    event: row.event,
    key: row.key ?? undefined,
    fingerprint: bytesOf(row.fingerprint),
    state: row.state,
    idempotent: row.idempotent !== 0,
    cancelRequested: row.cancel_requested !== 0,
    attempt: row.attempt,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    expiresAt: row.expires_at ?? undefined,
    progress: row.progress ?? undefined,
    status: row.status ?? undefined,
    code: row.code ?? undefined,
  };
}

export function holdOf({ id, owner, attempt }: RequestRow): Hold {
  return { id, owner, attempt };
}

export function claimedRequest(row: RequestRow, payload: PayloadRow | undefined): ClaimedRequest {
  return {
    request: storedRequest(row),
    hold: holdOf(row),
    data: bytesOf(payload?.data ?? null),
    metadata: bytesOf(payload?.metadata ?? null),
    timeout: row.timeout,
  };
}

/** A value of a column with bytes: `libsql` returns an ArrayBuffer, and null for an empty value. */
export type Bytes = Uint8Array | ArrayBuffer | null;

/** A Buffer over the bytes of a column. */
export function bytesOf(value: Bytes): Buffer {
  if (value === null) return NO_BYTES;
  if (value instanceof ArrayBuffer) return Buffer.from(value);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
