/**
 * Two routers, and a worker and a client that are connected to both. One router is stopped while
 * requests are in flight; all requests still succeed.
 *
 *     npx tsx examples/many-routers/failover.ts
 *
 * The equivalents on the command line are `zeromq-gateway worker … --router A --router B` and
 * `zeromq-gateway gateway --router A --router B`.
 */
import { once } from 'node:events';
import { ZeroMQClient, ZeroMQRouter, ZeroMQWorker } from 'zeromq-gateway';

const routers = [1, 2].map(() => {
  return new ZeroMQRouter({
    frontendConnection: 'tcp://127.0.0.1:0',
    backendConnection: 'tcp://127.0.0.1:0',
  });
});
const [one, two] = routers as [ZeroMQRouter, ZeroMQRouter];
const endpoints = await Promise.all(routers.map((router) => router.start()));

const worker = new ZeroMQWorker({
  connection: endpoints.map(({ backend }) => backend),
  handlers: { double: ({ n }: { n: number }) => n * 2 },
});
await Promise.all([once(one, 'workerJoined'), once(two, 'workerJoined'), worker.start()]);

const client = new ZeroMQClient({ connection: endpoints.map(({ frontend }) => frontend) });
await client.connect();

/**
 * Sends a hundred requests and returns the number of correct replies. `idempotent` permits the
 * client to send a request to the other router if its router is lost.
 */
async function ask(): Promise<number> {
  const replies = Array.from({ length: 100 }, async (_, n) => {
    const { eventData } = await client.sendMessage<number>('double', { n }, { idempotent: true });
    return eventData === n * 2;
  });
  return (await Promise.all(replies)).filter(Boolean).length;
}

console.log(`two routers: ${await ask()} of 100 answered`);
const [answered] = await Promise.all([ask(), one.stop()]);
console.log(`one stops meanwhile: ${answered} of 100 answered`);
console.log(`one router: ${await ask()} of 100 answered`);

await client.close();
await worker.stop();
await two.stop();
