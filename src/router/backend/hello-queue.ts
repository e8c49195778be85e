/**
 * Reads the hellos of peers within their budgets, and later those beyond. A peer that reconnects
 * does not get another budget: what it used up is left to its next connection.
 */
import type { Cancel, Clock } from '../../core/time/clock.ts';
import { HelloDebts } from './hello-budget.ts';
import type { WorkerPeer } from './worker-peer.ts';

/** The part of a {@link WorkerPeer} that the queue uses. */
export interface HelloSender extends Pick<WorkerPeer, 'helloBudget' | 'authenticated' | 'nodeId'> {
  native: boolean;
  /** Ends the wait for its first hello. */
  helloTimer: Cancel | undefined;
  /** Cancels a delayed hello. */
  delayedHello: Cancel | undefined;
}

export class HelloQueue<Peer extends HelloSender> {
  private readonly debts = new HelloDebts();

  /**
   * @param read handles the hello of a peer.
   * @param afterDelay called after a delayed hello was read.
   */
  constructor(
    private readonly clock: Clock,
    private readonly read: (peer: Peer, frame: Buffer | undefined) => void,
    private readonly afterDelay: () => void,
  ) {}

  /** Handles a new connection. */
  connected(peer: Peer): void {
    peer.helloBudget.owe(this.debts.take(ownerOf(peer), this.clock.now()));
  }

  /** Handles the end of a connection. */
  disconnected(peer: Peer): void {
    peer.delayedHello?.();
    const now = this.clock.now();
    this.debts.add(ownerOf(peer), peer.helloBudget.debt(now), now);
  }

  /** Reads a hello, or delays it if the peer sent too many. Only the last delayed hello is read. */
  take(peer: Peer, frame: Buffer | undefined): void {
    peer.delayedHello?.();
    const wait = peer.helloBudget.take(frame?.length ?? 0, this.clock.now());
    if (wait === 0) return this.read(peer, frame);
    // It has sent a hello, so it must not be taken for a classic worker meanwhile.
    peer.native = true;
    peer.helloTimer?.();
    peer.helloTimer = undefined;
    peer.delayedHello = this.clock.after(wait, () => {
      this.take(peer, frame);
      this.afterDelay();
    });
  }
}

/** The owner of the connections of a peer: its key, or else its node. */
function ownerOf({ authenticated, nodeId }: HelloSender): string {
  return authenticated?.publicKey ?? nodeId;
}
