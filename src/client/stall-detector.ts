/**
 * Watches lanes with requests in flight on which nothing comes any more. A router that is stopped, or whose event loop
 * hangs, keeps its connection for a while; the requests that it holds need not wait so long.
 */
import { type Cancel, type Clock, systemClock } from '../core/time/clock.ts';
import type { ClientConnection } from './pending-request.ts';

/** Between looks, in ms. */
const LOOK_INTERVAL = 500;

/** Looks in a row without anything, after which the peer is asked for a sign of life. */
const ASK_AT = 2;

/** Looks in a row without anything, after which an asked peer is suspect. */
const SUSPECT_AT = 5;

/** What a vigil tells. */
export interface StallDetectorOwner {
  /** The peer did not even answer a question: it is suspect until something comes from it. */
  laneSilent(lane: ClientConnection): void;
}

interface Watch {
  /** Messages that had come at the last look. */
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

  /** A request was sent on a lane. */
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
