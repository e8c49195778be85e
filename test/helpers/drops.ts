/**
 * Records the frames that the framework dropped, from its diagnostics. Tests wait for the drop
 * instead of a fixed time.
 */
import { EventEmitter } from 'node:events';
import { type DropCause, diagnostics, type FrameDropped } from '../../src/core/observability/diagnostics.ts';
import { emissions, eventually } from './eventually.ts';
import type { Cleanup } from './scope.ts';

/** Everything dropped in this process from now until the end of the test. */
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

  /** Returns the number of drops with this cause. */
  count(cause: DropCause): number {
    return this.all.filter((dropped) => dropped.cause === cause).length;
  }

  /** Resolves after `count` drops with this cause. */
  async waitFor(cause: DropCause, count = 1): Promise<void> {
    const look = () => this.count(cause) >= count;
    await eventually(emissions(this.changes, 'drop'), look, `${count} drops with the cause ${cause}`).catch(
      (error: unknown) => {
        const others = this.all.map((dropped) => `${dropped.kind}: ${dropped.cause}`).join(', ');
        throw new Error(`${String(error)}; drops so far: ${others || 'none'}`);
      },
    );
  }
}
