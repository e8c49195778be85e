/** The query of a list. */
import type { ListQuery } from '../model/store.ts';

/** Exactly the condition of the index `requests_exceptions`, which PostgreSQL uses only then. */
const EXCEPTIONS = "state IN ('failed', 'cancelled', 'unknown')";

export function listQuery({ caller, state, after, limit }: ListQuery): { sql: string; values: unknown[] } {
  const values: unknown[] = [];
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  const conditions: string[] = [];
  if (caller !== undefined) conditions.push(`caller = ${parameter(caller)}`);
  if (state !== undefined) {
    conditions.push(`state = ${parameter(state)}`);
    if (state === 'accepted' || state === 'running') conditions.push('finished_at IS NULL');
    else if (state !== 'succeeded') conditions.push(EXCEPTIONS);
  }
  if (after !== undefined) {
    conditions.push(`(created_at, id) < (${parameter(after.createdAt)}, ${parameter(after.id)})`);
  }
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')} `;
  const sql = `SELECT * FROM zeromq_gateway.requests ${where}
    ORDER BY created_at DESC, id DESC LIMIT ${parameter(limit)}`;
  return { sql, values };
}
