/**
 * Detects connections with requests in flight whose peer no longer sends anything. A router that is
 * stopped, or whose event loop is blocked, keeps its connection for a while; its requests need not
 * wait until the connection is lost.
 */
import { type Cancel, type Clock, systemClock } from '../core/time/clock.ts';
import type { ClientConnection } from './pending-request.ts';

/** Interval of checks, in ms. */
const LOOK_INTERVAL = 500;

/** Consecutive checks without a message after which the client probes the peer. */
const ASK_AT = 2;

/** Consecutive checks without a message after which a probed peer is suspect. */
const SUSPECT_AT = 5;

/** Callback of a stall detector. */
export interface StallDetectorOwner {
  /** The peer did not answer a probe. It is suspect until it sends something. */
  laneSilent(lane: ClientConnection): void;
}

interface Watch {
  /** Number of messages received at the last check. */
  seen: number;
  silent: number;
  asked: boolean;
}

export class StallDetector {
  private readonly watches = new Map<ClientConnection, Watch>();
  private cancel: Cancel | undefined;

  constructor(
    private readonly owner: StallDetectorOwner,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Called when a request was sent on a connection. */
  sent(lane: ClientConnection): void {
    if (this.watches.has(lane)) return;
    this.watches.set(lane, { seen: lane.received, silent: 0, asked: false });
    this.cancel ??= this.clock.after(LOOK_INTERVAL, () => this.look());
  }

  close(): void {
    this.cancel?.();
    this.cancel = undefined;
    this.watches.clear();
  }

  private look(): void {
    for (const [lane, watch] of this.watches) this.lookAt(lane, watch);
    const more = this.watches.size > 0;
    this.cancel = more ? this.clock.after(LOOK_INTERVAL, () => this.look()) : undefined;
  }

  private lookAt(lane: ClientConnection, watch: Watch): void {
    if (lane.received !== watch.seen || !lane.connected) {
      Object.assign(watch, { seen: lane.received, silent: 0, asked: false });
      lane.suspect = false;
    } else watch.silent += 1;
    if (lane.inFlight === 0 && !lane.suspect) this.watches.delete(lane);
    else if (watch.silent === ASK_AT) watch.asked = lane.ask();
    else if (watch.silent === SUSPECT_AT && watch.asked) {
      lane.suspect = true;
      this.owner.laneSilent(lane);
    }
  }
}
