/**
 * Detects workers whose connection is dead although the system still reports it, as behind a cut
 * cable: a worker that holds requests, does not answer a ping, and is silent while others are not.
 * The heartbeats of ZeroMQ notice the loss only after about ten seconds.
 */
import type { Cancel, Clock } from '../../core/time/clock.ts';

/** Interval of checks, in ms. */
const CHECK_INTERVAL = 500;

/** Consecutive checks without a message after which a worker is asked for one. */
const PING_AT = 1;

/** Consecutive checks without a message after which a worker counts as silent. */
const SILENT_AT = 3;

/** A worker as the detector sees it. */
export interface AudibleWorker {
  /** Whether a message arrived since the last check; set with each one. */
  heard: boolean;
  /** Consecutive checks without a message while it held requests. */
  silent: number;
  /** Whether it answers pings. */
  readonly pings: boolean;
  /** Whether it holds requests. */
  readonly holds: boolean;
  ping(): void;
}

export class SilentWorkers<Peer extends AudibleWorker> {
  private cancel: Cancel | undefined;
  /** Consecutive checks that found no message of any worker. */
  private quiet = 0;

  /**
   * @param peers all workers.
   * @param onSilent called at each check at which a worker counts as silent.
   */
  constructor(
    private readonly peers: () => Iterable<Peer>,
    private readonly clock: Clock,
    private readonly onSilent: (peer: Peer) => void,
  ) {}

  /** Starts the checks, which continue while there are workers that answer pings. */
  start(): void {
    this.cancel ??= this.clock.after(CHECK_INTERVAL, () => this.check());
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  private check(): void {
    let heard = false;
    let more = false;
    for (const peer of this.peers()) {
      heard ||= peer.heard;
      more ||= peer.pings;
      peer.silent = peer.heard || !peer.holds || !peer.pings ? 0 : peer.silent + 1;
      peer.heard = false;
      if (peer.silent === PING_AT) peer.ping();
    }
    this.quiet = heard ? 0 : this.quiet + 1;
    // If no worker is heard, this router or its network is at fault.
    const isConnected = this.quiet < SILENT_AT - PING_AT;
    for (const peer of this.peers()) if (peer.silent >= SILENT_AT && isConnected) this.onSilent(peer);
    this.cancel = more ? this.clock.after(CHECK_INTERVAL, () => this.check()) : undefined;
  }
}
