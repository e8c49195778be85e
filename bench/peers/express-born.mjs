/**
 * Express tuned as the gateway tunes it: settings off, requests and responses born with the app's prototypes,
 * one radix tree for the routes. It answers by itself, without deadline or validation: what is left when there
 * is no broker, and so the nearest thing to a floor.
 */
import http from 'node:http';
import express from 'express';
import FindMyWay from 'find-my-way';
import { readyHttp } from './ready.mjs';

const app = express();
app.disable('x-powered-by');
app.set('etag', false);
app.set('query parser', 'simple');

function IncomingMessage(socket) {
  http.IncomingMessage.call(this, socket);
}
IncomingMessage.prototype = app.request;

function ServerResponse(request, options) {
  http.ServerResponse.call(this, request, options);
}
ServerResponse.prototype = app.response;

function send(res, data) {
  const body = JSON.stringify(data);
  res.writeHead(200, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
  });
  res.end(body);
}

const parseJson = express.json();
const router = FindMyWay();
router.on('GET', '/echo/:message', (_req, res, params) => send(res, { message: params.message }));
router.on('POST', '/echo', (req, res) => {
  parseJson(req, res, (error) => {
    if (error) res.writeHead(400).end();
    else send(res, { message: req.body.message });
  });
});

app.use((req, res) => router.lookup(req, res));

const server = http.createServer({ IncomingMessage, ServerResponse }, app);
server.listen(0, '127.0.0.1', () => readyHttp(server));
