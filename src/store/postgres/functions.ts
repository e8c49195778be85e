/**
 * Functions in PostgreSQL: each change is one statement, and so one round trip and one transaction.
 * The condition for a limit that is reached has the SQLSTATE `ZG001` and the limit as its message.
 */
export const LIMIT_REACHED = 'ZG001';

/** The channel of `NOTIFY`; the payload is the id of a request that changed. */
export const CHANNEL = 'zeromq_gateway_requests';

const COUNTING = `
  CREATE FUNCTION zeromq_gateway.now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS
    $$ SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

  CREATE FUNCTION zeromq_gateway.stripe_of(p_id text) RETURNS int LANGUAGE sql IMMUTABLE AS
    $$ SELECT ascii(right(p_id, 1)) % 16 $$;

  CREATE FUNCTION zeromq_gateway.count_one(
    p_everyone boolean, p_caller text, p_stripe int, p_requests bigint, p_bytes bigint
  ) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO zeromq_gateway.usage AS u (everyone, caller, stripe, requests, bytes)
      VALUES (p_everyone, p_caller, p_stripe, p_requests, p_bytes)
      ON CONFLICT (everyone, caller, stripe) DO UPDATE
        SET requests = u.requests + excluded.requests, bytes = u.bytes + excluded.bytes;
    IF p_requests < 0 THEN
      DELETE FROM zeromq_gateway.usage
        WHERE everyone = p_everyone AND caller = p_caller AND stripe = p_stripe AND requests = 0;
    END IF;
  END $$;

  CREATE FUNCTION zeromq_gateway.count_usage(
    p_caller text, p_id text, p_requests bigint, p_bytes bigint
  ) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE v_stripe int := zeromq_gateway.stripe_of(p_id);
  BEGIN
    PERFORM zeromq_gateway.count_one(false, p_caller, v_stripe, p_requests, p_bytes);
    PERFORM zeromq_gateway.count_one(true, '', v_stripe, p_requests, p_bytes);
  END $$;

  CREATE FUNCTION zeromq_gateway.check_limit(
    p_everyone boolean, p_caller text, p_bytes bigint,
    p_max_requests bigint, p_max_bytes bigint, p_suffix text
  ) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE used record;
  BEGIN
    SELECT coalesce(sum(requests), 0) AS requests, coalesce(sum(bytes), 0) AS bytes INTO used
      FROM zeromq_gateway.usage WHERE everyone = p_everyone AND caller = p_caller;
    IF used.requests >= p_max_requests THEN
      RAISE EXCEPTION USING ERRCODE = '${LIMIT_REACHED}', MESSAGE = 'requests' || p_suffix;
    ELSIF used.bytes + p_bytes > p_max_bytes THEN
      RAISE EXCEPTION USING ERRCODE = '${LIMIT_REACHED}', MESSAGE = 'bytes' || p_suffix;
    END IF;
  END $$;
`;

/**
 * Returns the new row, or the former one with the id or key; `created` is null if the retention of
 * the former one is over. Then `forget_request` deletes it: in one transaction, the two could exclude
 * each other with those of other gateways, because of the order of changes in `usage`.
 */
const CREATE = `
  CREATE FUNCTION zeromq_gateway.create_request(
    p_id text, p_caller text, p_event text, p_key text, p_fingerprint bytea, p_state text,
    p_idempotent int, p_data bytea, p_metadata bytea, p_timeout bigint, p_retention bigint,
    p_owner text, p_lease bigint,
    p_caller_requests bigint, p_caller_bytes bigint, p_all_requests bigint, p_all_bytes bigint
  ) RETURNS TABLE (created boolean, request zeromq_gateway.requests) LANGUAGE plpgsql AS $$
  DECLARE
    v_now bigint := zeromq_gateway.now_ms();
    v_bytes bigint := length(p_data) + length(p_metadata);
    v_row zeromq_gateway.requests;
  BEGIN
    LOOP
      SELECT * INTO v_row FROM zeromq_gateway.requests r
        WHERE r.id = p_id OR (r.caller = p_caller AND r.event = p_event AND r.key = p_key) LIMIT 1;
      IF FOUND THEN
        RETURN QUERY SELECT
          CASE WHEN v_row.id = p_id OR v_row.expires_at IS NULL OR v_row.expires_at > v_now THEN false END,
          v_row;
        RETURN;
      END IF;
      PERFORM zeromq_gateway.check_limit(
        false, p_caller, v_bytes, p_caller_requests, p_caller_bytes, 'PerCaller');
      PERFORM zeromq_gateway.check_limit(true, '', v_bytes, p_all_requests, p_all_bytes, '');
      INSERT INTO zeromq_gateway.requests AS r (id, caller, event, key, fingerprint, state, idempotent,
          owner, lease_until, timeout, retention, bytes, created_at, started_at)
        VALUES (p_id, p_caller, p_event, p_key, p_fingerprint, p_state, p_idempotent,
          p_owner, v_now + p_lease, p_timeout, p_retention, v_bytes, v_now,
          CASE WHEN p_state = 'running' THEN v_now END)
        ON CONFLICT DO NOTHING RETURNING r.* INTO v_row;
      IF FOUND THEN
        INSERT INTO zeromq_gateway.payloads (id, data, metadata) VALUES (p_id, p_data, p_metadata);
        PERFORM zeromq_gateway.count_usage(p_caller, p_id, 1, v_bytes);
        RETURN QUERY SELECT true, v_row;
        RETURN;
      END IF;
      -- Another transaction stored the key at the same time: find its request.
    END LOOP;
  END $$;

  CREATE FUNCTION zeromq_gateway.forget_request(p_id text) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE v_row zeromq_gateway.requests;
  BEGIN
    DELETE FROM zeromq_gateway.requests r WHERE r.id = p_id AND r.expires_at <= zeromq_gateway.now_ms()
      RETURNING r.* INTO v_row;
    IF FOUND THEN
      PERFORM zeromq_gateway.count_usage(v_row.caller, p_id, -1, -v_row.bytes);
    END IF;
  END $$;
`;

const END = `
  CREATE FUNCTION zeromq_gateway.end_request(
    p_row zeromq_gateway.requests, p_state text, p_code text,
    p_status int, p_headers text, p_body bytea, p_retention bigint
  ) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE
    v_now bigint := zeromq_gateway.now_ms();
    v_bytes bigint := coalesce(length(p_body) + length(p_headers), 0);
  BEGIN
    UPDATE zeromq_gateway.requests SET state = p_state, finished_at = v_now,
        expires_at = v_now + coalesce(p_retention, p_row.retention), bytes = v_bytes, status = p_status, code = p_code
      WHERE id = p_row.id;
    DELETE FROM zeromq_gateway.payloads WHERE id = p_row.id;
    IF p_body IS NOT NULL THEN
      INSERT INTO zeromq_gateway.results (id, headers, body) VALUES (p_row.id, p_headers, p_body);
    END IF;
    PERFORM zeromq_gateway.count_usage(p_row.caller, p_row.id, 0, v_bytes - p_row.bytes);
    PERFORM pg_notify('${CHANNEL}', p_row.id);
  END $$;

  CREATE FUNCTION zeromq_gateway.finish_request(
    p_id text, p_owner text, p_attempt int, p_before text[], p_state text, p_code text,
    p_status int, p_headers text, p_body bytea, p_retention bigint
  ) RETURNS boolean LANGUAGE plpgsql AS $$
  DECLARE v_row zeromq_gateway.requests;
  BEGIN
    SELECT * INTO v_row FROM zeromq_gateway.requests
      WHERE id = p_id AND owner = p_owner AND attempt = p_attempt AND state = ANY (p_before) FOR UPDATE;
    IF NOT FOUND THEN RETURN false; END IF;
    PERFORM zeromq_gateway.end_request(
      v_row, p_state, p_code, p_status, p_headers, p_body, p_retention);
    RETURN true;
  END $$;

  CREATE FUNCTION zeromq_gateway.cancel_request(p_id text, p_caller text)
  RETURNS text LANGUAGE plpgsql AS $$
  DECLARE v_row zeromq_gateway.requests;
  BEGIN
    SELECT * INTO v_row FROM zeromq_gateway.requests
      WHERE id = p_id AND (p_caller IS NULL OR caller = p_caller) FOR UPDATE;
    IF NOT FOUND THEN RETURN 'missing'; END IF;
    IF v_row.finished_at IS NOT NULL THEN RETURN 'ended'; END IF;
    IF v_row.state = 'accepted' THEN
      PERFORM zeromq_gateway.end_request(v_row, 'cancelled', 'CANCELLED', NULL, NULL, NULL, NULL);
      RETURN 'cancelled';
    END IF;
    UPDATE zeromq_gateway.requests SET cancel_requested = 1 WHERE id = p_id;
    PERFORM pg_notify('${CHANNEL}', p_id);
    RETURN 'requested';
  END $$;
`;

const EXPIRE = `
  CREATE FUNCTION zeromq_gateway.expire_requests(p_limit int) RETURNS bigint LANGUAGE plpgsql AS $$
  DECLARE
    v_now bigint := zeromq_gateway.now_ms();
    v_group record;
    v_count bigint := 0;
    v_requests bigint[] := array_fill(0::bigint, ARRAY[16]);
    v_bytes bigint[] := array_fill(0::bigint, ARRAY[16]);
  BEGIN
    FOR v_group IN
      WITH gone AS (
        DELETE FROM zeromq_gateway.requests WHERE id IN (
          SELECT id FROM zeromq_gateway.requests WHERE expires_at <= v_now
            ORDER BY expires_at LIMIT p_limit FOR UPDATE SKIP LOCKED
        ) RETURNING id, caller, bytes
      )
      SELECT caller, zeromq_gateway.stripe_of(id) AS stripe, count(*) AS requests, sum(bytes)::bigint AS bytes
        FROM gone GROUP BY 1, 2 ORDER BY 1, 2
    LOOP
      PERFORM zeromq_gateway.count_one(
        false, v_group.caller, v_group.stripe, -v_group.requests, -v_group.bytes);
      v_count := v_count + v_group.requests;
      v_requests[v_group.stripe + 1] := v_requests[v_group.stripe + 1] + v_group.requests;
      v_bytes[v_group.stripe + 1] := v_bytes[v_group.stripe + 1] + v_group.bytes;
    END LOOP;
    FOR v_stripe IN 0..15 LOOP
      IF v_requests[v_stripe + 1] > 0 THEN
        PERFORM zeromq_gateway.count_one(
          true, '', v_stripe, -v_requests[v_stripe + 1], -v_bytes[v_stripe + 1]);
      END IF;
    END LOOP;
    RETURN v_count;
  END $$;
`;

export const FUNCTIONS: string = COUNTING + CREATE + END + EXPIRE;
