/** The worker behind moleculer-web: a download as a stream. */
import { Readable } from 'node:stream';
import moleculer from 'moleculer';
import { brokerOptions } from '../moleculer/options.mjs';
import { ready } from '../ready.mjs';

const CHUNK = Buffer.alloc(64 * 1024, 'x');
const broker = new moleculer.ServiceBroker(brokerOptions('worker'));
broker.createService({
  name: 'bytes',
  actions: {
    get(context) {
      const size = Number(context.params.size);
      context.meta.$responseType = 'application/octet-stream';
      return Readable.from(chunks(size));
    },
  },
});
await broker.start();
ready();

function* chunks(size) {
  for (let left = size; left > 0; left -= CHUNK.length) {
    yield left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
  }
}
