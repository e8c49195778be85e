/** Whether something can do its work, and if not, why: what `/livez` and `/readyz` answer. */

/** Something that keeps it from its work. */
export interface HealthReason {
  /** A code for programs, such as `NO_ROUTER`. */
  readonly code: string;
  /** A sentence for people. */
  readonly detail: string;
}

/** The health of a process or of a part of one. */
export interface Health {
  /** `degraded`: it works, but not all of it does. */
  readonly status: 'ok' | 'degraded' | 'unavailable';
  readonly reasons: readonly HealthReason[];
}

/** Healthy when there are no reasons why not. */
export function healthOf(reasons: readonly HealthReason[]): Health {
  return { status: reasons.length === 0 ? 'ok' : 'unavailable', reasons };
}

/** HTTP status for a health. */
export function statusOf({ status }: Health): 200 | 503 {
  return status === 'unavailable' ? 503 : 200;
}
