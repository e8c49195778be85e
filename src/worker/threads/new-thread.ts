/** Creates threads that run `thread-main`, and restores the errors that end them. */
import { Worker as Thread } from 'node:worker_threads';
import { toError, ZeroMQConfigError } from '../../core/messages/errors.ts';
import type { ThreadSetup } from './thread-messages.ts';
import { typescriptLoader } from './typescript-loader.ts';

/**
 * Creates a thread that runs `thread-main`, compiled or uncompiled like this module. An uncompiled
 * thread registers TypeScript first: on Node.js 20, threads do not inherit the loaders of the
 * process.
 *
 * @param env environment variables; by default those of the process.
 */
export function newThread(workerData: ThreadSetup, env?: NodeJS.ProcessEnv): Thread {
  if (!import.meta.url.endsWith('.ts'))
    return new Thread(new URL('./thread-main.js', import.meta.url), { workerData, env });
  const main = JSON.stringify(new URL('./thread-main.ts', import.meta.url).href);
  const loader = typescriptLoader();
  const registered =
    loader === undefined
      ? `import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(({ register }) => void register())`
      : `import(${JSON.stringify(loader)})`;
  const script = `${registered}.then(() => import(${main}))`;
  return new Thread(script, { eval: true, workerData, env });
}

/** Restores an error that ended a thread; posting it between threads drops its class. */
export function revived(thrown: unknown): Error {
  const error = toError(thrown);
  return error.name === 'ZeroMQConfigError' ? new ZeroMQConfigError(error.message, { cause: error }) : error;
}
