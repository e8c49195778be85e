/**
 * Whether a router has accepted the worker, and if not, why. A classic router never answers the
 * hello: a router that stays silent on an established connection counts as one.
 */
import type { Logger } from '../core/logging/logging.ts';
import { logFact } from '../core/observability/node-facts.ts';
import { TroubleLog } from '../core/observability/trouble-log.ts';
import { type Cancel, type Clock, systemClock } from '../core/time/clock.ts';

/**
 * State of a worker's connection to a router: `connecting`; `connected`, but not yet answered by the
 * router; `accepted` by the router; or `rejected` by it.
 */
export type RouterAccessState = 'connecting' | 'connected' | 'accepted' | 'rejected';

/** The connection of a worker to a router. */
export interface RouterAccessReport {
  /** Backend of the router. */
  readonly endpoint: string;
  /** State of the connection. */
  readonly state: RouterAccessState;
  /** How often the router has rejected the worker. */
  readonly refusals: number;
  /** Why the router has not accepted the worker, if known. */
  readonly reason?: string;
}

/** How long a router may take to answer the hello, in ms. One that takes longer counts as classic. */
const ANSWER_TIME = 5000;

export class RouterAccess {
  private state: RouterAccessState = 'connecting';
  private readonly trouble: TroubleLog;
  private cancelWait: Cancel | undefined;
  private closed = false;
  private refusals = 0;

  /** @param accepted called whenever the router accepts the worker */
  constructor(
    private readonly endpoint: string,
    private readonly logger: Logger,
    private readonly accepted: () => void,
    private readonly clock: Clock = systemClock,
  ) {
    this.trouble = new TroubleLog((reason) => this.log(reason), clock);
  }

  report(): RouterAccessReport {
    const { endpoint, state, refusals } = this;
    const { reason } = this.trouble;
    return reason === undefined ? { endpoint, state, refusals } : { endpoint, state, refusals, reason };
  }

  /** An attempt to connect failed. */
  failed(reason: string): void {
    if (!this.closed) this.trouble.note(reason);
  }

  connected(): void {
    if (this.closed) return;
    this.state = 'connected';
    this.trouble.reason = undefined;
    this.cancelWait?.();
    this.cancelWait = this.clock.after(ANSWER_TIME, () => this.unanswered());
  }

  disconnected(): void {
    this.cancelWait?.();
    this.state = 'connecting';
    this.trouble.reason = undefined;
  }

  /**
   * @param refusal why the router rejected the worker; undefined if it accepted it
   * @param router identity of the router
   */
  answered(refusal: string | undefined, router?: string): void {
    this.cancelWait?.();
    if (this.closed) return;
    if (refusal === undefined) return this.settled(router);
    this.state = 'rejected';
    this.refusals += 1;
    this.trouble.note(refusal);
  }

  close(): void {
    this.closed = true;
    this.cancelWait?.();
    this.trouble.end();
  }

  private log(reason: string): void {
    const { endpoint: router } = this;
    if (this.state === 'rejected') this.logger.error({ router }, `the router refused this worker: ${reason}`);
    else this.logger.warn({ router }, `no connection to the router yet: ${reason}`);
  }

  private unanswered(): void {
    const { endpoint: router } = this;
    this.logger.info({ router }, 'the router does not confirm workers, like one of the Python framework');
    this.settled();
  }

  private settled(router?: string): void {
    this.state = 'accepted';
    const { endpoint } = this;
    if (this.trouble.end()) this.logger.info({ endpoint, router }, 'accepted by the router');
    else logFact(this.logger, { endpoint, router }, 'accepted by the router');
    this.accepted();
  }
}
