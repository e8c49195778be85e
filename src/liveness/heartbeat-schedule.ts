import type { NodeIdentity } from '../core/identity/identity.ts';
import type { Cancel, Clock } from '../core/time/clock.ts';
import { encodeHeartbeat, type HeartbeatNodeType } from './heartbeat.ts';

/** Options of a {@link HeartbeatSender}. */
export interface HeartbeatSenderOptions {
  readonly identity: Pick<NodeIdentity, 'nodeId' | 'sessionId'>;
  readonly nodeType: HeartbeatNodeType;
  /** Milliseconds between heartbeats. */
  readonly interval: number;
  readonly clock: Clock;
  /** Sends the frames of a heartbeat on a DEALER socket. */
  readonly send: (frames: Buffer[]) => void;
}

/** Sends a heartbeat at once, then one per interval. */
export class HeartbeatSender {
  private cancelNext: Cancel | undefined;

  constructor(private readonly options: HeartbeatSenderOptions) {}

  start(): void {
    if (this.cancelNext === undefined) this.beat();
  }

  /** Sends an extra heartbeat now, for a new receiver. The next one follows an interval later. */
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
