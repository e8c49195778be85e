/** libzmq's own proxy, as zeromq.js gives it: all in C, in a thread of its own; no bounds, no bookkeeping. */
import { Dealer, Proxy, Router } from 'zeromq';

const proxy = new Proxy(new Router(), new Dealer());
await proxy.frontEnd.bind('tcp://127.0.0.1:*');
await proxy.backEnd.bind('tcp://127.0.0.1:*');
const endpoints = { frontend: proxy.frontEnd.lastEndpoint, backend: proxy.backEnd.lastEndpoint };
process.stdout.write(`ready ${JSON.stringify(endpoints)}\n`);
process.once('SIGTERM', () => proxy.terminate());
await proxy.run();
process.exit(0);
