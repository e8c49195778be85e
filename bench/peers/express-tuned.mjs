/** Express with the settings its users turn off for speed, answering by itself without deadline or validation. */
import express from 'express';
import { readyHttp } from './ready.mjs';

const app = express();
app.disable('x-powered-by');
app.set('etag', false);
app.set('query parser', 'simple');
app.set('case sensitive routing', true);

function send(res, data) {
  const body = JSON.stringify(data);
  res.writeHead(200, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
  });
  res.end(body);
}

app.get('/echo/:message', (req, res) => send(res, { message: req.params.message }));
app.post('/echo', express.json(), (req, res) => send(res, { message: req.body.message }));

const server = app.listen(0, '127.0.0.1', () => readyHttp(server));
