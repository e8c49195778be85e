/** moleculer-web in a process of its own, in front of the worker; no deadline, which is the default. */
import moleculer from 'moleculer';
import ApiService from 'moleculer-web';
import { ready } from '../ready.mjs';
import { brokerOptions } from './options.mjs';

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
        whitelist: ['echo.*'],
        mappingPolicy: 'restrict',
        aliases: { 'GET /echo/:message': 'echo.get', 'POST /echo': 'echo.post' },
        bodyParsers: { json: true },
      },
    ],
  },
});
await broker.start();
await broker.waitForServices('echo', 20_000);
ready(`http://127.0.0.1:${service.server.address().port}`);
