/**
 * Detects connections with requests in flight whose peer no longer sends anything. A router that is
 * stopped, or whose event loop is blocked, keeps its connection for a while; its requests need not
 * wait until the connection is lost.
 */
import { type Cancel, type Clock, systemClock } from '../core/time/clock.ts';
import type { ClientConnection } from './pending-request.ts';

/** Interval of checks, in ms. */
const CHECK_INTERVAL = 250;

/** Consecutive checks without a message after which the client probes the peer. */
const PROBE_AT = 2;

/**
 * Consecutive checks without a message after which a probed peer is suspect: while other peers send
 * something, and while none does, when this node or its network may be at fault.
 */
const SUSPECT_AT = 4;
const SUSPECT_ALONE_AT = 10;

/** Callback of a stall detector. */
export interface StallDetectorOwner {
  /** The peer did not answer a probe. It is suspect until it sends something. */
  onSilent(connection: ClientConnection): void;
}

interface Watch {
  /** Number of messages received at the last check. */
  received: number;
  silent: number;
  probed: boolean;
}

export class StallDetector {
  private readonly watches = new Map<ClientConnection, Watch>();
  private cancel: Cancel | undefined;
  /** Number of checks, and which of them last found a message. */
  private checks = 0;
  private heardAt = -Infinity;

  constructor(
    private readonly owner: StallDetectorOwner,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Called when a request was sent on a connection. */
  sent(connection: ClientConnection): void {
    if (this.watches.has(connection)) return;
    this.watches.set(connection, { received: connection.received, silent: 0, probed: false });
    this.cancel ??= this.clock.after(CHECK_INTERVAL, () => this.checkAll());
  }

  close(): void {
    this.cancel?.();
    this.cancel = undefined;
    this.watches.clear();
  }

  private checkAll(): void {
    for (const [connection, watch] of this.watches) {
      if (connection.received !== watch.received) this.heardAt = this.checks;
    }
    this.checks += 1;
    for (const [connection, watch] of this.watches) this.check(connection, watch);
    const more = this.watches.size > 0;
    this.cancel = more ? this.clock.after(CHECK_INTERVAL, () => this.checkAll()) : undefined;
  }

  /** A peer that was heard after the probe of a silent one proves that this node is connected. */
  private suspectAt({ silent }: Watch): number {
    const sinceProbe = silent - PROBE_AT;
    return this.checks - this.heardAt <= sinceProbe ? SUSPECT_AT : SUSPECT_ALONE_AT;
  }

  private check(connection: ClientConnection, watch: Watch): void {
    if (connection.received !== watch.received || !connection.connected) {
      Object.assign(watch, { received: connection.received, silent: 0, probed: false });
      connection.suspect = false;
    } else watch.silent += 1;
    if (connection.inFlight === 0 && !connection.suspect) this.watches.delete(connection);
    else if (watch.silent === PROBE_AT) watch.probed = connection.probe();
    else if (watch.probed && !connection.suspect && watch.silent >= this.suspectAt(watch)) {
      connection.suspect = true;
      this.owner.onSilent(connection);
    }
  }
}
