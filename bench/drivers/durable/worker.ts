/**
 * The worker of the benchmarks of durable requests: an echo whose callers may send an idempotency
 * key, and jobs that run asynchronously. With BENCH_PLAIN, no operation needs a store.
 */
import Joi from 'joi';
import { defineContract, defineWorker } from '../../../src/index.ts';

const isPlain = process.env['BENCH_PLAIN'] !== undefined;

const message = Joi.object<{ message: string }>({ message: Joi.string().required() });

const contract = defineContract({
  name: 'durable',
  events: {
    'echo.post': {
      method: 'POST',
      path: '/echo',
      data: message,
      ...(isPlain ? {} : { idempotency: 'optional', async: true }),
    },
    'jobs.add': { method: 'POST', path: '/jobs', data: message, ...(isPlain ? {} : { async: true }) },
  },
});

export default defineWorker({
  contract,
  handlers: {
    'echo.post': ({ message: text }) => ({ message: text }),
    'jobs.add': ({ message: text }) => ({ message: text }),
  },
});
