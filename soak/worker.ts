/**
 * The worker of the soak: does nothing, for as long as it is told, and writes into the checker's log what it runs.
 * The folder of the log is in the environment (SOAK_LOG).
 */
import { randomUUID } from 'node:crypto';
import Joi from 'joi';
import { defineContract, defineWorker, type HandlerContext, ReplyError } from 'zeromq-gateway';
import { Log } from './lib/log.ts';

/** Work to do. */
export interface Work {
  readonly id: string;
  /** Milliseconds it takes. */
  readonly wait: number;
  /** `refuse`: ends with an error of its own; `fail`: with a fault of the handler. */
  readonly end: 'reply' | 'refuse' | 'fail';
}

const data = Joi.object({
  id: Joi.string().required(),
  wait: Joi.number().integer().min(0).max(60_000).required(),
  end: Joi.string().valid('reply', 'refuse', 'fail').required(),
});
const replies = { 200: Joi.object({ id: Joi.string().required(), by: Joi.string().required() }) };

const contract = defineContract({
  name: 'soak',
  events: {
    'soak.put': { method: 'PUT', path: '/soak/{id}', data, replies, timeout: 2000 },
    'soak.post': { method: 'POST', path: '/soak/{id}', data, replies, timeout: 2000 },
  },
});

let log: Log | undefined;

async function work({ id, wait, end }: Work, { signal }: HandlerContext): Promise<object> {
  const by = `${process.pid}-${randomUUID()}`;
  log?.write({ t: 'began', id, by });
  await pause(wait, signal);
  log?.write({ t: 'ended', id, by });
  if (end === 'refuse') throw new ReplyError(409, 'SOAK_REFUSED', 'as it was told');
  if (end === 'fail') throw new Error('as it was told');
  return { id, by };
}

/** Resolves after so many ms, or as soon as nobody waits. */
function pause(wait: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, wait);
    signal.addEventListener('abort', done);
  });
}

export default defineWorker({
  contract,
  handlers: { 'soak.put': work, 'soak.post': work },
  concurrency: 16,
  onStart() {
    const { SOAK_LOG } = process.env;
    if (SOAK_LOG !== undefined) log = new Log(SOAK_LOG, `worker-${process.pid}`);
  },
  onStop: () => log?.close(),
});
