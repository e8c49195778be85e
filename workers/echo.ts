/**
 * The smallest worker: it gives back what it gets.
 *
 *     zeromq-gateway worker workers/echo.ts --router tcp://127.0.0.1:5556
 *
 * A worker file exports what `defineWorker` makes. Handlers go by the name of their event, get the event's data and
 * return the data of the reply.
 */
import { defineWorker } from 'zeromq-gateway';
import contract from '../openapi/echo.ts';

export default defineWorker({
  contract,
  handlers: {
    'echo.get': ({ message }: { message: string }) => ({ message }),
    'echo.post': (body: object) => body,
  },
});
