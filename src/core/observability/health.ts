/** Health of a process: the answer of `/livez` and `/readyz`. */

/** A reason why a process is not healthy. */
export interface HealthReason {
  /** A code for programs, such as `NO_ROUTER`. */
  readonly code: string;
  /** A sentence for people. */
  readonly detail: string;
}

/** Health of a process, or of a part of it such as a gateway. */
export interface Health {
  /**
   * `ok`: it can serve. `degraded`: it can serve, with limitations. `unavailable`: it cannot serve,
   * and `/readyz` responds with 503.
   */
  readonly status: 'ok' | 'degraded' | 'unavailable';
  /** Why it is not `ok`; empty if it is. */
  readonly reasons: readonly HealthReason[];
}

/** The health for a list of reasons: `ok` when it is empty, else `unavailable`. */
export function healthOf(reasons: readonly HealthReason[]): Health {
  return { status: reasons.length === 0 ? 'ok' : 'unavailable', reasons };
}

/** The HTTP status for a health. */
export function statusOf({ status }: Health): 200 | 503 {
  return status === 'unavailable' ? 503 : 200;
}
