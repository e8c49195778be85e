/**
 * A gateway with a store and a short lease, whose worker runs in the same process. A job whose event data
 * names this gateway in `hangs` gets no reply. Arguments: the store, a file that gets a line for each
 * execution, the name of the gateway, and by how many ms its clock is wrong.
 */
import { appendFileSync } from 'node:fs';
import { NO_BYTES, type Requester } from '../../../src/core/messages/message.ts';
import { WITHOUT_STREAM } from '../../../src/core/messages/stream.ts';
import { systemClock } from '../../../src/core/time/clock.ts';
import { StoreService } from '../../../src/gateway/durable/store-service.ts';
import { createGateway } from '../../../src/gateway/index.ts';
import { openStore } from '../../../src/store/index.ts';
import { apiOf, jsonBody } from '../../helpers/gateway/api.ts';

const [, , store = '', log = '', name = '', wrong = '0', lease = '0'] = process.argv;

const { now } = Date;
Date.now = () => now() + Number(wrong);

StoreService.at = (url, options, logger) =>
  new StoreService((more) => openStore(url, { ...options, ...more }), logger, systemClock, Number(lease));

const requester: Requester = {
  reachable: true,
  request({ body, eventName }, settle) {
    const { hangs } = JSON.parse(body.toString()) as { hangs?: string };
    appendFileSync(log, `${eventName} on ${name}\n`);
    const reply = { status: 201, code: '', dispatched: true, more: false, contentType: '', extras: NO_BYTES };
    if (hangs !== name)
      setImmediate(() => settle({ ...reply, body: Buffer.from(JSON.stringify({ by: name })) }));
    return { ...WITHOUT_STREAM, cancel: () => undefined };
  },
};

const body = jsonBody({ type: 'object' });
const api = apiOf({
  '/once': { post: { 'x-async': 'required', ...body } },
  '/again': { post: { 'x-async': 'required', 'x-idempotent': true, ...body } },
  '/keyed': { post: { 'x-idempotency': 'required', ...body } },
  '/plain': { post: body },
});
const gateway = createGateway({ requester, api, port: 0, store });
const { url } = await gateway.listen();
console.log(`ready ${url}`);
