/**
 * Entry of the thread of a SQLite store. Calls that arrive while a transaction is flushed wait for
 * the next one, and share it.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { toError } from '../../core/messages/errors.ts';
import { openSqliteStore } from './sqlite-store.ts';
import type { Calls, Changed, FromThread, Result, ThreadSetup } from './thread-messages.ts';
import { ownBuffers } from './transfer.ts';

type Callable = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>;

function serve(port: MessagePort, { file, limits }: ThreadSetup): void {
  const store = openSqliteStore(file, limits);
  let results: Result[] = [];
  let changed: Changed[] = [];
  let isScheduled = false;
  const send = (): void => {
    isScheduled = false;
    const message: FromThread = { results, changed };
    results = [];
    changed = [];
    port.postMessage(message);
  };
  const schedule = (): void => {
    if (!isScheduled) setImmediate(send);
    isScheduled = true;
  };
  const add = (...result: Result): void => {
    results.push(result);
    schedule();
  };
  store.watch((id, isCancelled) => {
    changed.push([id, isCancelled]);
    schedule();
  });
  port.on('message', (calls: Calls) => {
    for (const [number, method, args] of calls) {
      ownBuffers(args);
      const done =
        method === 'opened'
          ? Promise.resolve()
          : (store as unknown as Callable)[method]?.apply(store, [...args]);
      done?.then(
        (value) => add(number, value),
        (error: unknown) => add(number, undefined, reasonOf(error)),
      );
      if (method === 'close') setImmediate(() => setImmediate(() => port.close()));
    }
  });
}

/** Why the database failed, without what the error of a store adds. */
function reasonOf(error: unknown): string {
  const { cause, message } = toError(error);
  return cause instanceof Error ? cause.message : message;
}

if (parentPort !== null) {
  try {
    serve(parentPort, workerData as ThreadSetup);
  } catch (error) {
    const failed: FromThread = { failed: toError(error).message };
    parentPort.postMessage(failed);
  }
}
