/** A Node.js server that writes what arrives at a bare Pull socket. It makes no requests; the worker always sends. */
import { createServer } from 'node:http';
import { Pull } from 'zeromq';
import { readyHttp } from '../ready.mjs';

const socket = new Pull({ receiveHighWaterMark: 16 });
socket.connect(process.env.PEER_BACKEND);

const server = createServer(async (req, res) => {
  const size = Number(req.url.slice('/bytes/'.length));
  res.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': String(size) });
  for (let left = size; left > 0 && !res.destroyed; ) {
    const [chunk] = await socket.receive();
    const part = chunk.subarray(0, left);
    left -= part.length;
    if (!res.write(part) && !res.destroyed) {
      await new Promise((resolve) => res.once('drain', resolve).once('close', resolve));
    }
  }
  res.end();
});
server.listen(0, '127.0.0.1', () => readyHttp(server));
