/** Default Express that streams by itself: a download, an upload and server-sent events. No router, no worker, no deadline. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import express from 'express';
import { readyHttp } from './ready.mjs';

const CHUNK = Buffer.alloc(64 * 1024, 'x');
const app = express();

app.get('/bytes/:size', async (req, res) => {
  const size = Number(req.params.size);
  res.set({ 'Content-Type': 'application/octet-stream', 'Content-Length': String(size) });
  await pipeline(Readable.from(chunks(size)), res).catch(() => undefined);
});

app.put('/bytes', async (req, res) => {
  let size = 0;
  for await (const chunk of req) size += chunk.length;
  res.json({ size });
});

app.get('/ticks/:interval', (req, res) => {
  res.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  let tick = 0;
  const send = () => res.write(`data: ${JSON.stringify({ tick: tick++ })}\n\n`);
  send();
  const timer = setInterval(send, Number(req.params.interval));
  res.on('close', () => clearInterval(timer));
});

function* chunks(size) {
  for (let left = size; left > 0; left -= CHUNK.length) {
    yield left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
  }
}

const server = app.listen(0, '127.0.0.1', () => readyHttp(server));
