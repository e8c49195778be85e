/**
 * The worker of the soak test of durable requests: jobs that callers may send asynchronously or with an
 * idempotency key, idempotent ones and others. Executions are written to the checker's log in the folder given
 * by the environment variable SOAK_LOG.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import Joi from 'joi';
import { defineContract, defineWorker, type HandlerContext, ReplyError } from 'zeromq-gateway';
import { Log } from './lib/log.ts';

/** A job. */
export interface Job {
  readonly id: string;
  /** Duration in milliseconds. */
  readonly wait: number;
  /** `refuse`: replies with an error code of its own; `fail`: throws an unexpected error. */
  readonly end: 'reply' | 'refuse' | 'fail';
}

const data = Joi.object<Job>({
  id: Joi.string().required(),
  wait: Joi.number().integer().min(0).max(60_000).required(),
  end: Joi.string().valid('reply', 'refuse', 'fail').required(),
});

const bound = { method: 'POST', data, timeout: 2000, async: true, idempotency: 'optional' } as const;

const contract = defineContract({
  name: 'soak-durable',
  events: {
    'jobs.once': { path: '/once/{id}', ...bound },
    'jobs.again': { path: '/again/{id}', idempotent: true, ...bound },
  },
});

const { SOAK_LOG } = process.env;
let log: Log | undefined;

async function work({ id, wait, end }: Job, { signal, progress }: HandlerContext): Promise<object> {
  const by = `${process.pid}-${randomUUID()}`;
  log?.write({ t: 'began', id, by });
  progress({ by });
  await sleep(wait, undefined, { signal });
  log?.write({ t: 'ended', id, by });
  if (end === 'refuse') throw new ReplyError(409, 'SOAK_REFUSED', 'the request asks for this error');
  if (end === 'fail') throw new Error('the request asks for this failure');
  return { id, by };
}

export default defineWorker({
  contract,
  handlers: { 'jobs.once': work, 'jobs.again': work },
  concurrency: 16,
  onStart() {
    if (SOAK_LOG !== undefined) log = new Log(SOAK_LOG, `worker-${process.pid}`);
  },
  onStop: () => log?.close(),
});
