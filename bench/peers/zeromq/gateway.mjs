/**
 * Default Express over a pool of zeromq.js Request sockets: what one writes from the guide of zeromq.js. No
 * deadline, no validation; PEER_POOL sockets, one request in flight on each.
 */
import express from 'express';
import { Request } from 'zeromq';
import { readyHttp } from '../ready.mjs';

const idle = [];
const waiting = [];
for (let count = Number(process.env.PEER_POOL ?? 64); count > 0; count -= 1) {
  const socket = new Request();
  socket.connect(process.env.PEER_FRONTEND);
  idle.push(socket);
}

async function call(eventName, data) {
  const socket = idle.pop() ?? (await new Promise((resolve) => waiting.push(resolve)));
  await socket.send([eventName, JSON.stringify(data)]);
  const [, json] = await socket.receive();
  const next = waiting.shift();
  if (next === undefined) idle.push(socket);
  else next(socket);
  return JSON.parse(json.toString());
}

const app = express();
app.get('/echo/:message', async (req, res) => {
  res.json(await call('echo.get', { message: req.params.message }));
});
app.post('/echo', express.json(), async (req, res) => {
  res.json(await call('echo.post', req.body));
});

const server = app.listen(0, '127.0.0.1', () => readyHttp(server));
