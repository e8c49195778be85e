/**
 * What the framework dropped, as its diagnostics tell it: tests await the drop itself in place of sleeping.
 */
import { EventEmitter } from 'node:events';
import { type DropCause, diagnostics, type FrameDropped } from '../../src/core/observability/diagnostics.ts';
import { emissions, eventually } from './eventually.ts';
import type { Cleanup } from './scope.ts';

/** Everything dropped in this process from now until the test ends. */
export class Drops {
  readonly all: FrameDropped[] = [];
  private readonly changes = new EventEmitter().setMaxListeners(0);

  constructor(cleanup: Cleanup) {
    const listener = (dropped: FrameDropped) => {
      this.all.push(dropped);
      this.changes.emit('drop');
    };
    diagnostics.frameDropped.subscribe(listener);
    cleanup.after(() => diagnostics.frameDropped.unsubscribe(listener));
  }

  /** How many were dropped for this cause. */
  count(cause: DropCause): number {
    return this.all.filter((dropped) => dropped.cause === cause).length;
  }

  /** Resolves once `count` were dropped for this cause. */
  async seen(cause: DropCause, count = 1): Promise<void> {
    const look = () => this.count(cause) >= count;
    await eventually(emissions(this.changes, 'drop'), look, `${count} dropped for ${cause}`).catch(
      (error: unknown) => {
        const others = this.all.map((dropped) => `${dropped.kind}: ${dropped.cause}`).join(', ');
        throw new Error(`${String(error)}; dropped were: ${others || 'none'}`);
      },
    );
  }
}
