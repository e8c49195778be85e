/** node:http alone: what a connection costs without any framework. */
import { createServer } from 'node:http';
import { readyHttp } from './ready.mjs';

const server = createServer({ keepAliveTimeout: 0 }, (_req, res) => {
  res.writeHead(200, { 'Content-Type': 'application/json' });
  res.end('{"message":"hello"}');
});
server.listen(0, '127.0.0.1', () => readyHttp(server));
