/** A worker whose events another one can continue. Argument: the backend of its router. */

import { setTimeout as sleep } from 'node:timers/promises';
import Joi from 'joi';
import { defineContract, event, silentLogger, sse, ZeroMQWorker } from '../../dist/index.js';

const contract = defineContract({
  name: 'resumable',
  events: {
    'count.watch': {
      method: 'GET',
      path: '/count',
      replies: { 200: sse(Joi.object({ n: Joi.number(), pid: Joi.number() }), { resumable: true }) },
    },
  },
});

const worker = new ZeroMQWorker({
  connection: process.argv[2],
  contract,
  logger: silentLogger,
  handlers: {
    'count.watch': async function* (_data, { signal, lastEventId = '0' }) {
      for (let n = Number(lastEventId) + 1; ; n += 1) {
        yield event({ id: n, data: { n, pid: process.pid } });
        await sleep(2, undefined, { signal });
      }
    },
  },
});
await worker.start();
