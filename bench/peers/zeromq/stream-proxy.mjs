/** libzmq's own proxy between a Pull and a Push socket: all in C, in a thread of its own. */
import { Proxy, Pull, Push } from 'zeromq';

const frontEnd = new Pull({ receiveHighWaterMark: 16 });
const backEnd = new Push({ sendHighWaterMark: 16 });
const proxy = new Proxy(frontEnd, backEnd);
await frontEnd.bind('tcp://127.0.0.1:*');
await backEnd.bind('tcp://127.0.0.1:*');
const endpoints = { frontend: frontEnd.lastEndpoint, backend: backEnd.lastEndpoint };
process.stdout.write(`ready ${JSON.stringify(endpoints)}\n`);
process.once('SIGTERM', () => proxy.terminate());
await proxy.run();
process.exit(0);
