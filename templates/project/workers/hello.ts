/**
 * The worker "hello": the contract of its events, and their handlers.
 *
 *     npx zeromq-gateway worker workers/hello.ts --router tcp://127.0.0.1:5556
 */
import Joi from 'joi';
import { defineContract, defineWorker, ReplyError } from 'zeromq-gateway';

const contract = defineContract({
  name: 'hello',
  info: { title: 'hello', version: '0.1.0', description: 'Greets people by name.' },
  events: {
    // For GET /hello/world, the event data is { "name": "world" }.
    'hello.get': {
      method: 'GET',
      path: '/hello/{name}',
      summary: 'Greet a person',
      tags: ['hello'],
      data: Joi.object<{ name: string }>({
        name: Joi.string().max(100).required().description('Name of the person.'),
      }),
      replies: {
        200: Joi.object<{ message: string }>({ message: Joi.string().required() }).description(
          'The greeting.',
        ),
      },
    },
  },
});

export default defineWorker({
  contract,
  handlers: {
    'hello.get': ({ name }) => {
      if (name === 'unknown') throw new ReplyError(404, 'NOT_FOUND', `${name} is not registered`);
      return { message: `Welcome, ${name}` };
    },
  },
});
