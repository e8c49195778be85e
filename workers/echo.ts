/**
 * A minimal worker: it replies with the event data it receives.
 *
 *     zeromq-gateway worker workers/echo.ts --router tcp://127.0.0.1:5556
 *
 * A worker file exports the result of `defineWorker`. Handlers are named after their events,
 * receive the event data and return the data of the reply.
 */
import { defineWorker } from 'zeromq-gateway';
import contract from '../openapi/echo.ts';

export default defineWorker({
  contract,
  handlers: {
    'echo.get': ({ message }) => ({ message }),
    'echo.post': (body) => body,
  },
});
