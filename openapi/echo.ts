/**
 * Contract of the echo worker (workers/echo.ts): the request and reply schemas of its events, and
 * their HTTP routes.
 *
 * The schemas are written once, in Joi. The gateway generates routes and documentation from them,
 * and the worker validates requests with them.
 */
import Joi from 'joi';
import { defineContract } from 'zeromq-gateway';

export interface Echo {
  message: string;
}

const message = Joi.string().max(10_000).description('Any text.').example('hello');

export default defineContract({
  name: 'echo',
  info: { title: 'Echo', version: '1.0.0', description: 'Gives back what it gets.' },
  events: {
    // For GET /echo/hello, the event data is { "message": "hello" }.
    'echo.get': {
      method: 'GET',
      path: '/echo/{message}',
      summary: 'Give back a word of the path',
      tags: ['echo'],
      data: Joi.object<Echo>({ message: message.required() }),
      replies: { 200: Joi.object<Echo>({ message: message.required() }).description('The same message.') },
    },
    // For POST /echo, the event data is the body.
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
