/**
 * The tables in PostgreSQL, in the schema `zeromq_gateway`. The columns are those of SQLite. Times are
 * milliseconds of the database's clock, so that the clocks of gateways do not matter.
 *
 * `usage` counts what callers have stored. Each caller has several rows (stripes, by the
 * id of the request), so that concurrent transactions seldom wait for each other; their sum counts. Every
 * transaction changes rows of callers in their order and those of all callers last, which excludes
 * deadlocks. Concurrent transactions do not see each other's requests: a limit can be exceeded by as
 * many requests as are stored at the same time.
 */
export const TABLES = `
  CREATE TABLE zeromq_gateway.requests (
    id text PRIMARY KEY,
    caller text NOT NULL,
    event text NOT NULL,
    key text,
    fingerprint bytea NOT NULL,
    state text NOT NULL,
    idempotent int NOT NULL,
    cancel_requested int NOT NULL DEFAULT 0,
    owner text NOT NULL,
    attempt int NOT NULL DEFAULT 1,
    lease_until bigint NOT NULL,
    timeout bigint NOT NULL,
    retention bigint NOT NULL,
    bytes bigint NOT NULL,
    created_at bigint NOT NULL,
    started_at bigint,
    finished_at bigint,
    expires_at bigint,
    progress text,
    status int,
    code text
  );
  CREATE UNIQUE INDEX requests_key ON zeromq_gateway.requests (caller, event, key) WHERE key IS NOT NULL;
  CREATE INDEX requests_lease ON zeromq_gateway.requests (lease_until) WHERE finished_at IS NULL;
  CREATE INDEX requests_expiry ON zeromq_gateway.requests (expires_at) WHERE expires_at IS NOT NULL;
  CREATE INDEX requests_caller ON zeromq_gateway.requests (caller, created_at, id);
  CREATE INDEX requests_created ON zeromq_gateway.requests (created_at, id);
  CREATE INDEX requests_exceptions ON zeromq_gateway.requests (state, created_at, id)
    WHERE state IN ('failed', 'cancelled', 'unknown');
  CREATE TABLE zeromq_gateway.payloads (
    id text PRIMARY KEY REFERENCES zeromq_gateway.requests ON DELETE CASCADE,
    data bytea NOT NULL,
    metadata bytea NOT NULL
  );
  CREATE TABLE zeromq_gateway.results (
    id text PRIMARY KEY REFERENCES zeromq_gateway.requests ON DELETE CASCADE,
    headers text NOT NULL,
    body bytea NOT NULL
  );
  CREATE TABLE zeromq_gateway.usage (
    everyone boolean NOT NULL,
    caller text NOT NULL,
    stripe int NOT NULL,
    requests bigint NOT NULL,
    bytes bigint NOT NULL,
    PRIMARY KEY (everyone, caller, stripe)
  );
`;
