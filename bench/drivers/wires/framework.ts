/** The public classes, used as in an application. */
import type * as Framework from '../../../src/index.ts';
import { built } from '../built.ts';
import type { Wire } from './wire.ts';

const { ZeroMQClient, ZeroMQWorker } = await built<typeof Framework>('index');

export const framework: Wire = {
  connectClient(endpoint) {
    const client = new ZeroMQClient({ connection: endpoint });
    void client.connect();
    return {
      request(_slot, eventName, body, timeout, done) {
        client.request({ eventName, body, timeout, idempotent: true }, ({ code }) => done(code === ''));
      },
    };
  },

  connectWorker(endpoint, answer, events, concurrency) {
    const handle = (data: unknown): unknown => {
      let reply = data;
      answer(NOTHING, (body) => {
        if (body !== NOTHING) reply = JSON.parse(body.toString());
      });
      return reply;
    };
    const handlers = Object.fromEntries(events.map((name) => [name, handle]));
    const worker = new ZeroMQWorker({ connection: endpoint, handlers, concurrency });
    void worker.start();
  },
};

const NOTHING = Buffer.alloc(0);
