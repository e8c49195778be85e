/** The statements of the PostgreSQL store. */
import { CHANNEL } from './functions.ts';

const HELD = 'id = $1 AND owner = $2 AND attempt = $3';

/** A change of a request that is held; it returns a row if it happened, and notifies. */
function change(assignments: string, condition: string): string {
  return `WITH changed AS (
      UPDATE zeromq_gateway.requests SET ${assignments} WHERE ${HELD} AND ${condition} RETURNING id
    ) SELECT pg_notify('${CHANNEL}', id) FROM changed`;
}

/** Ends the block that only writes. */
const WRITTEN = 'ZG002';

const HOLDS = 'unnest($1::text[], $2::text[], $3::int[]) AS h (id, owner, attempt)';
const SAME_HOLD = 'r.id = h.id AND r.owner = h.owner AND r.attempt = h.attempt';
/** A subquery, which PostgreSQL evaluates once, so that it can use an index. */
const NOW = '(SELECT zeromq_gateway.now_ms())';

export const SQL = {
  create: `SELECT created, (request).* FROM zeromq_gateway.create_request(
      $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
  forget: 'SELECT zeromq_gateway.forget_request($1)',
  get: 'SELECT * FROM zeromq_gateway.requests WHERE id = $1 AND ($2::text IS NULL OR caller = $2)',
  result: `SELECT r.status, s.headers, s.body FROM zeromq_gateway.requests r
      JOIN zeromq_gateway.results s ON s.id = r.id
    WHERE r.id = $1 AND ($2::text IS NULL OR r.caller = $2)`,
  start: change("state = 'running', started_at = zeromq_gateway.now_ms()", 'state = ANY ($4)'),
  requeue: change("state = 'accepted', started_at = NULL", 'state = ANY ($4)'),
  progress: change('progress = $4', 'finished_at IS NULL'),
  finish: 'SELECT zeromq_gateway.finish_request($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS done',
  cancel: 'SELECT zeromq_gateway.cancel_request($1, $2) AS done',
  renew: `UPDATE zeromq_gateway.requests r SET lease_until = ${NOW} + $4 FROM ${HOLDS}
    WHERE ${SAME_HOLD} AND r.finished_at IS NULL RETURNING r.id, r.cancel_requested`,
  release: `UPDATE zeromq_gateway.requests r SET lease_until = -1 FROM ${HOLDS}
    WHERE ${SAME_HOLD} AND r.finished_at IS NULL`,
  claim: `WITH due AS (
      SELECT id FROM zeromq_gateway.requests WHERE finished_at IS NULL AND lease_until <= ${NOW}
        ORDER BY lease_until LIMIT $3 FOR UPDATE SKIP LOCKED
    )
    UPDATE zeromq_gateway.requests r SET owner = $1, attempt = r.attempt + 1, lease_until = ${NOW} + $2
      FROM due LEFT JOIN zeromq_gateway.payloads p ON p.id = due.id
      WHERE r.id = due.id RETURNING r.*, p.data, p.metadata`,
  expire: 'SELECT zeromq_gateway.expire_requests($1) AS deleted',
  states: 'SELECT state, count(*) AS requests FROM zeromq_gateway.requests GROUP BY state',
  totals: `SELECT
      (SELECT coalesce(sum(bytes), 0)::bigint FROM zeromq_gateway.usage WHERE everyone) AS bytes,
      (SELECT zeromq_gateway.now_ms() - min(created_at) FROM zeromq_gateway.requests
        WHERE finished_at IS NULL) AS oldest`,
  /** Writes a large request and removes it, which shows whether there is space. */
  write: `DO $$
    DECLARE v_id text := 'check ' || gen_random_uuid();
    BEGIN
      INSERT INTO zeromq_gateway.requests (id, caller, event, fingerprint, state, idempotent, owner,
          lease_until, timeout, retention, bytes, created_at)
        VALUES (v_id, '', '', '', 'running', 0, '', 0, 0, 0, 0, 0);
      INSERT INTO zeromq_gateway.payloads (id, data, metadata)
        SELECT v_id, string_agg(uuid_send(gen_random_uuid()), ''), '' FROM generate_series(1, 65536);
      RAISE SQLSTATE '${WRITTEN}';
    EXCEPTION WHEN SQLSTATE '${WRITTEN}' THEN NULL;
    END $$`,
  check: 'SELECT pg_is_in_recovery() AS standby',
} as const;
