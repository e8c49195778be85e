import { joinIdentity } from '../core/identity/identity.ts';
import type { Cancel, Clock } from '../core/time/clock.ts';
import type { Heartbeat, HeartbeatNodeType } from './heartbeat.ts';

/** A node that sends heartbeats, or sent some before it was lost. */
export interface HeartbeatNode {
  /** `<node_id>_<session_id>`, which is also the identity of the node's sockets. */
  readonly key: string;
  readonly nodeId: string;
  readonly sessionId: string;
  readonly nodeType: HeartbeatNodeType;
  /** Wall time of the sender at its last heartbeat, ms since the epoch. */
  readonly lastHeartbeat: number;
  /** Checks in a row that found it silent. */
  readonly missed: number;
  /** It counts as dead. */
  readonly lost: boolean;
  /** It was lost before, and came back. */
  readonly returned: boolean;
}

/** What a monitor tells. Durations in ms. */
export interface HeartbeatListener {
  /** The first heartbeat of a node, or its first sign of life after it was lost. */
  nodeConnected(node: HeartbeatNode): void;
  /** A check found the node silent for longer than its timeout. */
  heartbeatMissed(node: HeartbeatNode, silentFor: number): void;
  /** It was silent at one check more than is forgiven. */
  nodeLost(node: HeartbeatNode, silentFor: number): void;
}

/** The rules; see `ZeroMQHeartbeatConfig`. */
export interface HeartbeatRules {
  readonly interval: number;
  readonly timeout: number;
  readonly maxMissed: number;
  /** Nodes that are watched at most, lost ones included. Default 10,000. */
  readonly maxNodes?: number;
}

interface Entry extends HeartbeatNode {
  lastHeartbeat: number;
  missed: number;
  lost: boolean;
  returned: boolean;
  /** Last sign of life, by the clock. */
  seen: number;
  /** Silence that counts as a miss. */
  timeout: number;
  /** Public key of who sent its first heartbeat, where keys are known: nobody else speaks for it. */
  readonly owner: string | undefined;
}

/** A node that announces its own interval is given at least this many of them before silence counts. */
const OWN_INTERVALS = 3;

/** Lost nodes are remembered for this many timeouts, to know them when they come back. */
const REMEMBERED = 20;

/**
 * Decides which nodes live, by the original's rule: a node is dead when it has been silent for longer than the timeout at
 * more than `maxMissed` checks in a row, one check each interval. Time is the receiver's own; what a sender says of the
 * time, and clocks that jump, change nothing.
 */
export class HeartbeatMonitor {
  private readonly entries = new Map<string, Entry>();
  /** Keys of those that are lost, longest first. */
  private readonly lostKeys = new Set<string>();
  private readonly maxNodes: number;
  private cancelCheck: Cancel | undefined;

  constructor(
    private readonly rules: HeartbeatRules,
    private readonly listener: HeartbeatListener,
    private readonly clock: Clock,
  ) {
    this.maxNodes = rules.maxNodes ?? 10_000;
  }

  /** Nodes that live, and lost ones that are remembered. */
  get nodes(): readonly HeartbeatNode[] {
    return [...this.entries.values()];
  }

  /** Begins to check. */
  start(): void {
    this.cancelCheck ??= this.clock.after(this.rules.interval, () => {
      this.cancelCheck = undefined;
      this.start();
      this.check();
    });
  }

  /** Stops checking and forgets all nodes. */
  stop(): void {
    this.cancelCheck?.();
    this.cancelCheck = undefined;
    this.entries.clear();
    this.lostKeys.clear();
  }

  /**
   * A heartbeat came. False when it was not taken: too many nodes are known already, or it is of another sender than
   * the node's first one.
   *
   * @param owner public key of the sender, where keys are known.
   */
  beat(heartbeat: Heartbeat, owner?: string): boolean {
    const key = joinIdentity(heartbeat.nodeId, heartbeat.sessionId);
    let entry = this.entries.get(key);
    const known = entry !== undefined;
    if (entry !== undefined && entry.owner !== owner) return false;
    if (entry === undefined) {
      if (this.entries.size >= this.maxNodes && !this.dropLost()) return false;
      const { nodeId, sessionId, nodeType } = heartbeat;
      const state = { lastHeartbeat: 0, missed: 0, lost: false, returned: false, seen: 0, timeout: 0 };
      entry = { key, nodeId, sessionId, nodeType, owner, ...state };
      this.entries.set(key, entry);
    }
    entry.lastHeartbeat = heartbeat.lastHeartbeat;
    entry.timeout = Math.max(this.rules.timeout, (heartbeat.interval ?? 0) * OWN_INTERVALS);
    this.refresh(entry);
    if (!known) this.listener.nodeConnected(entry);
    return true;
  }

  /** Any other sign of life of a node; nodes that never sent a heartbeat are none of ours. */
  alive(key: string): void {
    const entry = this.entries.get(key);
    if (entry !== undefined) this.refresh(entry);
  }

  /** Misses in a row of a node, and ms since its last sign of life; undefined for a node that is not known. */
  reportOf(key: string): { missed: number; silentFor: number } | undefined {
    const entry = this.entries.get(key);
    return entry && { missed: entry.missed, silentFor: this.clock.now() - entry.seen };
  }

  /** The node said goodbye: its silence means nothing any more. */
  forget(key: string): void {
    this.entries.delete(key);
    this.lostKeys.delete(key);
  }

  private refresh(entry: Entry): void {
    entry.seen = this.clock.now();
    entry.missed = 0;
    if (!entry.lost) return;
    entry.lost = false;
    entry.returned = true;
    this.lostKeys.delete(entry.key);
    this.listener.nodeConnected(entry);
  }

  private check(): void {
    const now = this.clock.now();
    for (const entry of this.entries.values()) {
      const silentFor = now - entry.seen;
      if (silentFor <= entry.timeout) continue;
      if (!entry.lost) this.miss(entry, silentFor);
      else if (silentFor > entry.timeout * REMEMBERED) this.forget(entry.key);
    }
  }

  private miss(entry: Entry, silentFor: number): void {
    entry.missed += 1;
    this.listener.heartbeatMissed(entry, silentFor);
    if (entry.missed <= this.rules.maxMissed) return;
    entry.lost = true;
    this.lostKeys.add(entry.key);
    this.listener.nodeLost(entry, silentFor);
  }

  /** Makes room by forgetting the node that is lost for longest; false when all live. */
  private dropLost(): boolean {
    for (const key of this.lostKeys) {
      this.forget(key);
      return true;
    }
    return false;
  }
}
