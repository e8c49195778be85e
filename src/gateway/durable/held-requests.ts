/** The stored requests that a gateway holds: it keeps their leases, and reacts to cancellations. */
import { ReleasingMap } from '../../core/collections/releasing-map.ts';
import type { ClaimedRequest, Hold, RequestStore } from '../../store/index.ts';

/** What a gateway does for a request that it holds. */
export interface Holder {
  /** Its caller or an operator has cancelled the request. Called once at most. */
  cancel(): void;
  /** Another gateway has taken the request over, or it has ended: changes of it have no effect. */
  lost?(): void;
}

interface Held {
  hold: Hold;
  readonly holder: Holder;
  isCancelled: boolean;
}

export class HeldRequests {
  private readonly held = new ReleasingMap<string, Held>();

  get size(): number {
    return this.held.size;
  }

  /** The current holds. */
  get holds(): Hold[] {
    return Array.from(this.held.values(), ({ hold }) => hold);
  }

  add(hold: Hold, holder: Holder): void {
    this.held.set(hold.id, { hold, holder, isCancelled: false });
  }

  remove(id: string): void {
    this.held.take(id);
  }

  /** The current hold of a request, which is newer than `hold` if the gateway claimed it again. */
  current(hold: Hold): Hold {
    return this.held.get(hold.id)?.hold ?? hold;
  }

  /**
   * Takes a claim of a request that this gateway still holds: its lease had ended, because the
   * gateway could not renew it in time.
   */
  adopt({ hold }: ClaimedRequest): boolean {
    const held = this.held.get(hold.id);
    if (held !== undefined) held.hold = hold;
    return held !== undefined;
  }

  async renew(store: RequestStore, lease: number): Promise<void> {
    const { holds } = this;
    if (holds.length === 0) return;
    const { lost, cancelRequested } = await store.renew(holds, lease);
    for (const id of cancelRequested) this.cancel(id);
    for (const id of lost) {
      // A request that ended meanwhile is not held any longer.
      const before = holds.find((hold) => hold.id === id);
      const held = this.held.get(id);
      if (held === undefined || held.hold !== before) continue;
      this.held.take(id);
      held.holder.lost?.();
    }
  }

  /** A request has changed: perhaps it was cancelled. */
  async onChange(store: RequestStore, id: string): Promise<void> {
    if (this.held.get(id)?.isCancelled !== false) return;
    const request = await store.get(id);
    if (request?.cancelRequested === true) this.cancel(id);
  }

  private cancel(id: string): void {
    const held = this.held.get(id);
    if (held === undefined || held.isCancelled) return;
    held.isCancelled = true;
    held.holder.cancel();
  }
}
