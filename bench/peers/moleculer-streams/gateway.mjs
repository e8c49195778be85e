/** moleculer-web in front of a worker whose action returns a stream; no deadline, which is the default. */
import moleculer from 'moleculer';
import ApiService from 'moleculer-web';
import { brokerOptions } from '../moleculer/options.mjs';
import { ready } from '../ready.mjs';

const broker = new moleculer.ServiceBroker(brokerOptions('gateway'));
const service = broker.createService({
  name: 'api',
  mixins: [ApiService],
  settings: {
    ip: '127.0.0.1',
    port: 0,
    routes: [
      {
        path: '/',
        whitelist: ['bytes.*'],
        mappingPolicy: 'restrict',
        aliases: { 'GET /bytes/:size': 'bytes.get' },
      },
    ],
  },
});
await broker.start();
await broker.waitForServices('bytes', 20_000);
ready(`http://127.0.0.1:${service.server.address().port}`);
