/**
 * A worker and a client that find their routers by a DNS name, such as that of a headless Service
 * in Kubernetes. The name is looked up periodically; connections to routers are opened and closed
 * as their addresses appear and disappear.
 *
 *     npx tsx examples/many-routers/by-name.ts dns://routers.example:5555 dns://routers.example:5556
 *
 * The first name is for the client (frontends), the second one for the worker (backends). Both
 * default to `localhost`, where `npm start` runs a router.
 * `dns://10.0.0.10:53/routers.example:5555` queries the DNS server 10.0.0.10. A name without a port
 * (`dns://_zmq._tcp.example`) is looked up as SRV records, which contain hosts and ports.
 */
import { once } from 'node:events';
import { ZeroMQClient, ZeroMQWorker } from 'zeromq-gateway';

const [frontends = 'dns://localhost:5555', backends = 'dns://localhost:5556'] = process.argv.slice(2);
const dns = { interval: 500 };

const worker = new ZeroMQWorker({
  connection: backends,
  dns,
  handlers: { double: ({ n }: { n: number }) => n * 2 },
});
const client = new ZeroMQClient({ connection: frontends, dns });

/** Sends a hundred requests and returns the number of correct replies. */
async function ask(): Promise<number> {
  const replies = Array.from({ length: 100 }, async (_, n) => {
    const { eventData } = await client.sendMessage<number>('double', { n }, { idempotent: true });
    return eventData === n * 2;
  });
  return (await Promise.all(replies)).filter(Boolean).length;
}

let routers = 0;
worker.on('accepted', () => {
  routers += 1;
  const known = routers;
  void ask().then((answered) => console.log(`router ${known} is there: ${answered} of 100 answered`));
});

await Promise.all([client.connect(), worker.start()]);
console.log('Ctrl-C ends it');
await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
await client.close();
await worker.stop();
