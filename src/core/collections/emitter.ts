import { EventEmitter } from 'node:events';

/**
 * Base of the framework's classes that emit events. `Events` maps event names to listener
 * arguments.
 *
 * A listener that throws stops neither the other listeners nor the receive loop or timer that
 * emitted the event: its error becomes an uncaught exception of the process, as with diagnostics
 * channels.
 */
export class Emitter<Events extends Record<keyof Events, unknown[]>> extends EventEmitter<Events> {
  /** Calls the listeners of an event in order. */
  protected notify<Name extends keyof Events & string>(event: Name, ...args: Events[Name]): void {
    for (const listener of EventEmitter.prototype.rawListeners.call(this, event)) {
      try {
        Reflect.apply(listener, this, args);
      } catch (error) {
        process.nextTick(() => {
          throw error;
        });
      }
    }
  }
}
