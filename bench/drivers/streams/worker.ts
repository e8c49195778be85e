/** The worker of the stream benchmarks: a download, an upload and events, as express-streams.mjs. */
import { setInterval } from 'node:timers/promises';
import Joi from 'joi';
import { bytes, defineContract, defineWorker, event, sse, stream, upload } from '../../../src/index.ts';

const CHUNK = Buffer.alloc(64 * 1024, 'x');

const contract = defineContract({
  name: 'streams',
  events: {
    'bytes.get': {
      method: 'GET',
      path: '/bytes/{size}',
      data: Joi.object<{ size: number }>({ size: Joi.number().integer().required() }),
      replies: { 200: bytes('application/octet-stream') },
    },
    'bytes.put': { method: 'PUT', path: '/bytes', body: upload() },
    'ping.get': { method: 'GET', path: '/ping' },
    'ticks.get': {
      method: 'GET',
      path: '/ticks/{interval}',
      data: Joi.object<{ interval: number }>({ interval: Joi.number().required() }),
      replies: { 200: sse(Joi.object<{ tick: number }>({ tick: Joi.number().required() })) },
    },
  },
});

export default defineWorker({
  contract,
  handlers: {
    'bytes.get': ({ size }) => stream(chunks(size), { headers: { 'content-length': String(size) } }),
    'bytes.put': async (_data, { body }) => {
      let size = 0;
      for await (const chunk of body) size += chunk.length;
      return { size };
    },
    'ping.get': () => ({ ok: true }),
    'ticks.get': async function* ({ interval }, { signal }) {
      let tick = 0;
      yield event({ data: { tick } });
      for await (const _ of setInterval(interval, undefined, { signal })) {
        tick += 1;
        yield event({ data: { tick } });
      }
    },
  },
});

function* chunks(size: number): Generator<Buffer> {
  for (let left = size; left > 0; left -= CHUNK.length) {
    yield left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
  }
}
