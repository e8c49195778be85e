/** A stored request that this gateway holds. */
import type { InFlight, ReplyMessage } from '../../core/messages/message.ts';
import type { Cancel } from '../../core/time/clock.ts';
import type { Hold } from '../../store/index.ts';
import type { Route } from '../routing/route.ts';
import type { RequestMetadata } from './metadata.ts';

/** What a request needs to run. */
export interface Runnable {
  readonly hold: Hold;
  readonly event: string;
  readonly idempotent: boolean;
  readonly data: Buffer;
  readonly metadata: RequestMetadata;
  /** Time allowed, in ms. */
  readonly timeout: number;
}

/** A {@link Runnable} while this gateway holds it. */
export class Execution implements Runnable {
  readonly hold: Hold;
  readonly event: string;
  readonly idempotent: boolean;
  readonly data: Buffer;
  readonly metadata: RequestMetadata;
  readonly timeout: number;
  /** The route of its operation, once its contract has arrived. */
  route: Route | undefined;
  /** The request at its worker or in a queue; undefined while it waits for its next attempt. */
  inFlight: InFlight | undefined;
  /** Receives the reply in place of the runner, after the request was withdrawn from its router. */
  onWithdrawn: ((reply: ReplyMessage) => void) | undefined;
  /** Cancels the next attempt. */
  cancelRetry: Cancel | undefined;
  /**
   * Whether a change in the store failed, so that it may be stored as accepted or as running. It is not
   * in flight then.
   */
  isDoubtful = false;
  /** Number of attempts that are tried again. */
  retries = 0;
  /** How often its worker was lost. */
  losses = 0;
  /** Whether its caller has cancelled it. */
  cancelled = false;
  /** Whether it has ended here: its outcome is being stored, or another gateway has it. */
  ended = false;
  /** Progress that is not stored yet. */
  progress: string | undefined;
  /** Whether a progress is being stored. */
  storesProgress = false;

  /**
   * @param deadline by the clock of this gateway. Each gateway that takes a request over allows the
   * whole time again, so that clocks need not agree.
   * @param started whether the store may know that it was dispatched.
   */
  constructor(
    { hold, event, idempotent, data, metadata, timeout }: Runnable,
    readonly deadline: number,
    public started: boolean,
  ) {
    this.hold = hold;
    this.event = event;
    this.idempotent = idempotent;
    this.data = data;
    this.metadata = metadata;
    this.timeout = timeout;
  }

  get id(): string {
    return this.hold.id;
  }

  /** Stops it without an outcome. */
  stop(): void {
    this.ended = true;
    this.cancelRetry?.();
    this.cancelRetry = undefined;
    this.inFlight?.cancel();
    this.inFlight = undefined;
  }
}
