/**
 * A gateway with a store, whose worker runs in the same process and kills it at the step that the
 * event data names, once for each step and event. Arguments: the store's file, and a file that gets
 * a line for each execution and each kill.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { NO_BYTES, type Requester } from '../../../src/core/messages/message.ts';
import { WITHOUT_STREAM } from '../../../src/core/messages/stream.ts';
import { StoreService } from '../../../src/gateway/durable/store-service.ts';
import { createGateway } from '../../../src/gateway/index.ts';
import { apiOf, jsonBody } from '../../helpers/gateway/api.ts';

const [, , store = '', log = ''] = process.argv;
const before = existsSync(log) ? readFileSync(log, 'utf8') : '';
let step = '';
let event = '';

function dieOnce(): void {
  const line = `kill ${event} ${step}\n`;
  if (before.includes(line)) return;
  appendFileSync(log, line);
  process.kill(process.pid, 'SIGKILL');
}

const requester: Requester = {
  reachable: true,
  request({ body, eventName }, settle) {
    ({ step } = JSON.parse(body.toString()) as { step: string });
    event = eventName;
    if (step === 'stored, not run') dieOnce();
    appendFileSync(log, `run ${event} ${step}\n`);
    if (step === 'run, not replied') dieOnce();
    const reply = { status: 201, code: '', dispatched: true, more: false, contentType: '', extras: NO_BYTES };
    setImmediate(() => settle({ ...reply, body: Buffer.from('{"done":true}') }));
    return { ...WITHOUT_STREAM, cancel: () => undefined };
  },
};

/** Dies between the commit of the outcome and the response. */
const { prototype } = StoreService;
const finish: { value?: StoreService['finish'] } | undefined = Object.getOwnPropertyDescriptor(
  prototype,
  'finish',
);
prototype.finish = async function (...args) {
  const done = await finish?.value?.apply(this, args);
  if (step === 'reply stored, not sent') dieOnce();
  return done === true;
};

const keyed = { 'x-idempotency': 'required', ...jsonBody({ type: 'object' }) };
const api = apiOf({ '/orders': { post: keyed }, '/totals': { post: { 'x-idempotent': true, ...keyed } } });
const gateway = createGateway({ requester, api, port: 0, store: `sqlite:${store}` });
const { url } = await gateway.listen();
console.log(`ready ${url}`);
