/** The query of a list. Each combination of conditions has an index, or a bounded set of rows. */
import type { ListQuery } from '../model/store.ts';
import type { SqlValue } from './driver.ts';

interface SqlQuery {
  readonly sql: string;
  readonly parameters: Record<string, SqlValue>;
}

/** Exactly the condition of the index `requests_exceptions`, which SQLite uses only then. */
const EXCEPTIONS = "state IN ('failed', 'cancelled', 'unknown')";

export function listQuery({ caller, state, after, limit }: ListQuery): SqlQuery {
  const parameters: Record<string, SqlValue> = { limit };
  const conditions: string[] = [];
  if (caller !== undefined) {
    conditions.push('caller = :caller');
    parameters.caller = caller;
  }
  if (state !== undefined) {
    conditions.push('state = :state');
    parameters.state = state;
    if (state === 'accepted' || state === 'running') conditions.push('finished_at IS NULL');
    else if (state !== 'succeeded') conditions.push(EXCEPTIONS);
  }
  if (after !== undefined) {
    conditions.push('(created_at, id) < (:created_at, :id)');
    parameters.created_at = after.createdAt;
    parameters.id = after.id;
  }
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')} `;
  return { sql: `SELECT * FROM requests ${where}ORDER BY created_at DESC, id DESC LIMIT :limit`, parameters };
}
