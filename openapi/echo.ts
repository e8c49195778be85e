/**
 * Contract of the echo worker (workers/echo.ts): what its events take and give, and where they are in HTTP.
 *
 * It is written once, in Joi. The gateway makes routes and documentation out of it; the worker checks what arrives.
 */
import Joi from 'joi';
import { defineContract } from 'zeromq-gateway';

const message = Joi.string().max(10_000).description('Any text.').example('hello');

export default defineContract({
  name: 'echo',
  info: { title: 'Echo', version: '1.0.0', description: 'Gives back what it gets.' },
  events: {
    // GET /echo/hello: the event's data is { "message": "hello" }.
    'echo.get': {
      method: 'GET',
      path: '/echo/{message}',
      summary: 'Give back a word of the path',
      tags: ['echo'],
      data: Joi.object({ message: message.required() }),
      replies: { 200: Joi.object({ message: message.required() }).description('The same message.') },
    },
    // POST /echo: the event's data is the body.
    'echo.post': {
      method: 'POST',
      path: '/echo',
      summary: 'Give back the body',
      tags: ['echo'],
      idempotent: true,
      data: Joi.object({ message }).unknown().description('Any JSON object.'),
      replies: { 200: Joi.object({ message }).unknown().description('The same object.') },
    },
  },
});
