/** The worker behind moleculer-web: parameters checked by fastest-validator, Moleculer's own validator. */
import moleculer from 'moleculer';
import { ready } from '../ready.mjs';
import { brokerOptions } from './options.mjs';

const broker = new moleculer.ServiceBroker(brokerOptions('worker'));
const handler = (context) => ({ message: context.params.message });
const params = { message: { type: 'string', min: 1, max: 10_000 } };
broker.createService({
  name: 'echo',
  actions: { get: { handler }, post: { params, handler } },
});
await broker.start();
ready();
