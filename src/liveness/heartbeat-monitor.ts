import { joinIdentity } from '../core/identity/identity.ts';
import type { Cancel, Clock } from '../core/time/clock.ts';
import type { Heartbeat, HeartbeatNodeType } from './heartbeat.ts';

/** A node that sends heartbeats, including a lost one that is still remembered. */
export interface HeartbeatNode {
  /** `<node_id>_<session_id>`, which is also the identity of the node's sockets. */
  readonly key: string;
  readonly nodeId: string;
  readonly sessionId: string;
  readonly nodeType: HeartbeatNodeType;
  /** Wall time of the sender at its last heartbeat, in milliseconds since the epoch. */
  readonly lastHeartbeat: number;
  /** Consecutive checks that found it silent. */
  readonly missed: number;
  /** Whether it counts as lost. */
  readonly lost: boolean;
  /** Whether it was lost before and returned. */
  readonly returned: boolean;
}

/** Callbacks of a monitor. Durations are in milliseconds. */
export interface HeartbeatListener {
  /** The first heartbeat of a node, or its first message after it was lost. */
  nodeConnected(node: HeartbeatNode): void;
  /** A check found the node silent for longer than its timeout. */
  heartbeatMissed(node: HeartbeatNode, silentFor: number): void;
  /** The node missed one check more than is tolerated. */
  nodeLost(node: HeartbeatNode, silentFor: number): void;
}

/** Thresholds of a monitor; see {@link ZeroMQHeartbeatConfig}. */
export interface HeartbeatRules {
  readonly interval: number;
  readonly timeout: number;
  readonly maxMissed: number;
  /** Maximum number of watched nodes, lost ones included. Default 10,000. */
  readonly maxNodes?: number;
}

interface Entry extends HeartbeatNode {
  lastHeartbeat: number;
  missed: number;
  lost: boolean;
  returned: boolean;
  /** Time of the last message, by the monitor's clock. */
  seen: number;
  /** Silence that counts as a miss. */
  timeout: number;
  /**
   * Public key of the sender of its first heartbeat, if keys are known; heartbeats from other keys
   * are rejected.
   */
  readonly owner: string | undefined;
}

/** The timeout of a node that announces its own interval is at least this many intervals. */
const MIN_INTERVALS = 3;

/**
 * Lost nodes are remembered for this many timeouts, so that they are recognised when they return.
 */
const LOST_RETENTION = 20;

/**
 * Decides which nodes are alive, by the rule of the Python original: a node is lost after it was
 * silent for longer than the timeout at more than `maxMissed` consecutive checks, one check per
 * interval. The monitor uses only its own monotonic clock, so timestamps of senders and clock jumps
 * have no effect.
 */
export class HeartbeatMonitor {
  private readonly entries = new Map<string, Entry>();
  /** Keys of the lost nodes, in the order in which they were lost. */
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

  /** Live nodes, and lost ones that are remembered. */
  get nodes(): readonly HeartbeatNode[] {
    return [...this.entries.values()];
  }

  /** Starts checking. */
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
   * Records a heartbeat. Returns false if it is rejected: too many nodes are known, or its sender's
   * key differs from that of the node's first heartbeat.
   *
   * @param owner public key of the sender, if keys are known.
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
    entry.timeout = Math.max(this.rules.timeout, (heartbeat.interval ?? 0) * MIN_INTERVALS);
    this.refresh(entry);
    if (!known) this.listener.nodeConnected(entry);
    return true;
  }

  /** Records any other message of a node. Nodes that never sent a heartbeat are ignored. */
  alive(key: string): void {
    const entry = this.entries.get(key);
    if (entry !== undefined) this.refresh(entry);
  }

  /**
   * Consecutive missed checks, and milliseconds since the last message; undefined for an unknown
   * node.
   */
  reportOf(key: string): { missed: number; silentFor: number } | undefined {
    const entry = this.entries.get(key);
    return entry && { missed: entry.missed, silentFor: this.clock.now() - entry.seen };
  }

  /** Forgets a node that left: its silence is expected. */
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
      else if (silentFor > entry.timeout * LOST_RETENTION) this.forget(entry.key);
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

  /** Makes room by forgetting the node that was lost first; false when all nodes are alive. */
  private dropLost(): boolean {
    for (const key of this.lostKeys) {
      this.forget(key);
      return true;
    }
    return false;
  }
}
