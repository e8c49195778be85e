/**
 * Waiting for what will happen, driven by events: nothing here sleeps and looks again.
 */
import type { EventEmitter } from 'node:events';

/** Longest time a test waits for anything, unless it says otherwise; milliseconds. */
export const PATIENCE = 10_000;

/** `promise`, or an error that says what was awaited when it takes longer than `timeout` (ms). */
export async function within<T>(promise: Promise<T>, what: string, timeout = PATIENCE): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${timeout} ms for ${what}`)), timeout);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Calls `listener` at each change until the function it returns is called. */
export type Subscribe = (listener: () => void) => () => void;

/** Resolves once `check` gives something truthy: asked now, and again after each change. */
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

/** The changes of an emitter: each emission of one of `names`. */
export function emissions(emitter: EventEmitter, ...names: string[]): Subscribe {
  return (listener) => {
    for (const name of names) emitter.on(name, listener);
    return () => {
      for (const name of names) emitter.off(name, listener);
    };
  };
}
