/** The worker of the conformance suite. worker.py is the same in Python. */
import Joi from 'joi';
import { defineContract, defineWorker, type HandlerContext, ReplyError, reply } from 'zeromq-gateway';

const contract = defineContract({
  name: 'conformance',
  events: {
    'math.add': {
      method: 'POST',
      path: '/sums',
      summary: 'Add two numbers',
      data: Joi.object({ a: Joi.number().min(0).required(), b: Joi.number().required() }),
    },
    'item.get': {
      method: 'GET',
      path: '/items/{id}',
      summary: 'Read an item',
      data: Joi.object({ id: Joi.number().integer().required() }),
    },
    'wait.until': {},
    'request.describe': {},
    'fail.now': {},
    'fail.reply': {},
  },
});

/** Resolves after a while, or when the reply is no longer needed. */
async function wait(seconds: unknown, { signal, timeLeft }: HandlerContext): Promise<number> {
  console.log('started');
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, Number(seconds) * 1000);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  // The router and the worker measure the deadline independently.
  if (signal.aborted) console.log(`given up: ${timeLeft() < 1000 ? 'at the deadline' : 'cancelled'}`);
  signal.throwIfAborted();
  return Number(seconds);
}

export default defineWorker({
  contract,
  handlers: {
    'math.add': ({ a, b }: { a: number; b: number }) => ({ sum: a + b }),
    'item.get': ({ id }: { id: number }) => {
      if (id === 0) {
        const options = { details: { id: 0 }, headers: { 'X-Item': '0' } };
        throw new ReplyError(404, 'ITEM_NOT_FOUND', 'there is no item 0', options);
      }
      return reply(201, { id }, { location: `/items/${id}` });
    },
    'wait.until': wait,
    'request.describe': (data: unknown, { requestId: id, timeLeft }: HandlerContext) => ({
      data,
      id,
      limited: timeLeft() < Infinity,
    }),
    'fail.now': () => {
      throw new Error('a secret of the handler');
    },
    'fail.reply': () => {
      const value: Record<string, unknown> = {};
      value['self'] = value;
      return value;
    },
  },
});
