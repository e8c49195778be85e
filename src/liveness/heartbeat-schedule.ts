import type { NodeIdentity } from '../core/identity/identity.ts';
import type { Cancel, Clock } from '../core/time/clock.ts';
import { encodeHeartbeat, type HeartbeatNodeType } from './heartbeat.ts';

/** Options of a `HeartbeatSender`. */
export interface HeartbeatSenderOptions {
  readonly identity: Pick<NodeIdentity, 'nodeId' | 'sessionId'>;
  readonly nodeType: HeartbeatNodeType;
  /** Time between heartbeats, ms. */
  readonly interval: number;
  readonly clock: Clock;
  /** Takes the frames of a heartbeat, for a DEALER socket. */
  readonly send: (frames: Buffer[]) => void;
}

/** Sends a heartbeat at once and then one each interval. */
export class HeartbeatSender {
  private cancelNext: Cancel | undefined;

  constructor(private readonly options: HeartbeatSenderOptions) {}

  start(): void {
    if (this.cancelNext === undefined) this.beat();
  }

  /** A heartbeat now, out of turn: the receiver is new. The next one is an interval away. */
  beat(): void {
    const { identity, nodeType, interval, clock, send } = this.options;
    this.cancelNext?.();
    this.cancelNext = clock.after(interval, () => this.beat());
    const { nodeId, sessionId } = identity;
    send(
      encodeHeartbeat({ nodeId, sessionId, nodeType, lastHeartbeat: clock.wall(), missedCount: 0, interval }),
    );
  }

  stop(): void {
    this.cancelNext?.();
    this.cancelNext = undefined;
  }
}
