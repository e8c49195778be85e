/** Waits for events. Nothing in this file polls. */
import type { EventEmitter } from 'node:events';
import { PATIENCE } from './patience.ts';

/**
 * Resolves with the result of `promise`, or rejects after `timeout` ms with an error that names
 * `what`.
 */
export async function within<T>(promise: Promise<T>, what: string, timeout = PATIENCE): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`timed out after ${timeout} ms waiting for ${what}`)), timeout);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Calls `listener` after each change until the returned function is called. */
export type Subscribe = (listener: () => void) => () => void;

/** Resolves when `check` returns a truthy value. It is called now and after each change. */
export function eventually<T>(
  subscribe: Subscribe,
  check: () => T | undefined | false | null,
  what: string,
  timeout = PATIENCE,
): Promise<T> {
  let unsubscribe: (() => void) | undefined;
  const met = new Promise<T>((resolve, reject) => {
    const look = () => {
      try {
        const found = check();
        if (found) resolve(found);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    unsubscribe = subscribe(look);
    look();
  });
  return within(met, what, timeout).finally(() => unsubscribe?.());
}

/** Returns a subscription to every emission of one of the `names`. */
export function emissions(emitter: EventEmitter, ...names: string[]): Subscribe {
  return (listener) => {
    for (const name of names) emitter.on(name, listener);
    return () => {
      for (const name of names) emitter.off(name, listener);
    };
  };
}
