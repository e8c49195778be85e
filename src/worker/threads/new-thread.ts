/** Makes threads that run `thread-main`, and reads what ended them. */
import { Worker as Thread } from 'node:worker_threads';
import { toError, ZeroMQConfigError } from '../../core/messages/errors.ts';
import type { ThreadSetup } from './thread-messages.ts';

/**
 * A thread that runs `thread-main`, compiled or not as this module is. Uncompiled, the thread is taught TypeScript first:
 * loaders given to the process do not reach its threads on Node 20.
 */
export function newThread(workerData: ThreadSetup): Thread {
  if (!import.meta.url.endsWith('.ts'))
    return new Thread(new URL('./thread-main.js', import.meta.url), { workerData });
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const main = JSON.stringify(new URL('./thread-main.ts', import.meta.url).href);
  const script = `import(${loader}).then(({ register }) => { register(); return import(${main}); })`;
  return new Thread(script, { eval: true, workerData });
}

/** An error that ended a thread; on the way from there it loses its class. */
export function revived(thrown: unknown): Error {
  const error = toError(thrown);
  return error.name === 'ZeroMQConfigError' ? new ZeroMQConfigError(error.message, { cause: error }) : error;
}
