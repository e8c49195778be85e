/** Fastify with the schemas its docs recommend; answers by itself; validates the POST body with ajv; no deadline. */
import Fastify from 'fastify';
import { readyHttp } from './ready.mjs';

const app = Fastify({ logger: false });
const message = { type: 'string', minLength: 1, maxLength: 10_000 };
const body = { type: 'object', required: ['message'], additionalProperties: false, properties: { message } };
const response = { 200: { type: 'object', properties: { message: { type: 'string' } } } };

app.get('/echo/:message', { schema: { response } }, async (request) => ({ message: request.params.message }));
app.post('/echo', { schema: { body, response } }, async (request) => ({ message: request.body.message }));

await app.listen({ host: '127.0.0.1', port: 0 });
readyHttp(app.server);
