/** The Joi schema of the settings of stored requests. */
import Joi from 'joi';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import { DEFAULT_LIMITS, parseStoreUrl } from '../../store/index.ts';

const DAY = 24 * 60 * 60 * 1000;
const MAX_RETENTION = 366 * DAY;

const limit = (fallback: number): Joi.NumberSchema => Joi.number().integer().min(1).default(fallback);

/** The URL of a store. The message never contains its password. */
export const storeUrl: Joi.StringSchema = Joi.string()
  .custom((value: string, { message }) => {
    try {
      parseStoreUrl(value);
      return value;
    } catch (error) {
      if (!(error instanceof ZeroMQConfigError)) throw error;
      return message({ custom: error.message.replace(/^store: /, '') });
    }
  })
  .description(
    'database of asynchronous requests and of requests with an idempotency key: sqlite:FILE or postgres://…; opened when an operation needs it',
  );

export const stored: Joi.ObjectSchema = Joi.object({
  retention: Joi.number()
    .integer()
    .min(1)
    .max(MAX_RETENTION)
    .unit('ms')
    .default(DAY)
    .description('how long an ended request and its reply are kept'),
  result: limit(1024 * 1024)
    .unit('bytes')
    .description('maximum size of a stored reply; a larger one is sent but not stored'),
  requests: limit(DEFAULT_LIMITS.requests).description(
    'maximum stored requests, ended ones included; further ones are rejected with 503',
  ),
  requestsPerCaller: limit(DEFAULT_LIMITS.requestsPerCaller).description(
    'maximum of these for each caller; further ones are rejected with 429',
  ),
  bytes: limit(DEFAULT_LIMITS.bytes)
    .unit('bytes')
    .description('maximum size of all stored data and replies; further requests are rejected with 503'),
  bytesPerCaller: limit(DEFAULT_LIMITS.bytesPerCaller)
    .unit('bytes')
    .description('maximum of this for each caller; further requests are rejected with 429'),
}).default();
