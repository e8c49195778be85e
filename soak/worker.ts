/**
 * The worker of the soak test: each handler waits for the requested time. Executions are written to
 * the checker's log in the folder given by the environment variable SOAK_LOG.
 */
import { randomUUID } from 'node:crypto';
import Joi from 'joi';
import { defineContract, defineWorker, type HandlerContext, ReplyError } from 'zeromq-gateway';
import { Log } from './lib/log.ts';

/** A request to the worker. */
export interface Work {
  readonly id: string;
  /** Duration in milliseconds. */
  readonly wait: number;
  /** `refuse`: replies with an error code of its own; `fail`: throws an unexpected error. */
  readonly end: 'reply' | 'refuse' | 'fail';
}

const data = Joi.object({
  id: Joi.string().required(),
  wait: Joi.number().integer().min(0).max(60_000).required(),
  end: Joi.string().valid('reply', 'refuse', 'fail').required(),
});
/** Contracts that the worker can announce, by the value of SOAK_CONTRACT. */
const CONTRACTS = {
  /** The default contract. */
  plain: data,
  /** Compatible with `plain`: adds an optional member and an event. */
  wider: data.keys({ note: Joi.string() }),
  /** Not compatible with `plain`: requires a member that callers do not send. Routers reject it. */
  narrower: data.keys({ note: Joi.string().required() }),
};

const { SOAK_LOG, SOAK_CONTRACT = 'plain' } = process.env;

const replies = { 200: Joi.object({ id: Joi.string().required(), by: Joi.string().required() }) };

const bound = { data: dataOf(SOAK_CONTRACT), replies, timeout: 2000 };

const contract = defineContract({
  name: 'soak',
  events: {
    'soak.put': { method: 'PUT', path: '/soak/{id}', ...bound },
    'soak.post': { method: 'POST', path: '/soak/{id}', ...bound },
    ...(SOAK_CONTRACT === 'wider' ? { 'soak.more': { method: 'POST', path: '/more/{id}', ...bound } } : {}),
  },
});

let log: Log | undefined;

function dataOf(name: string): Joi.ObjectSchema {
  if (Object.hasOwn(CONTRACTS, name)) return CONTRACTS[name as keyof typeof CONTRACTS];
  throw new Error(`SOAK_CONTRACT must be one of ${Object.keys(CONTRACTS).join(', ')}, got ${name}`);
}

async function work({ id, wait, end }: Work, { signal }: HandlerContext): Promise<object> {
  const by = `${process.pid}-${randomUUID()}`;
  log?.write({ t: 'began', id, by });
  await pause(wait, signal);
  log?.write({ t: 'ended', id, by });
  if (end === 'refuse') throw new ReplyError(409, 'SOAK_REFUSED', 'the request asks for this error');
  if (end === 'fail') throw new Error('the request asks for this failure');
  return { id, by };
}

/** Resolves after this many milliseconds, or when the request is cancelled. */
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
  handlers: {
    'soak.put': work,
    'soak.post': work,
    ...(SOAK_CONTRACT === 'wider' ? { 'soak.more': work } : {}),
  },
  concurrency: 16,
  onStart() {
    if (SOAK_LOG !== undefined) log = new Log(SOAK_LOG, `worker-${process.pid}`);
  },
  onStop: () => log?.close(),
});
