/**
 * Encryption and authentication with CURVE keys: the router accepts one worker and one client and
 * rejects a client with an unknown key.
 *
 *     npx tsx examples/curve/private.ts
 *
 * The equivalents on the command line are `zeromq-gateway keygen`, `--curve-key`,
 * `--curve-server-key` and `--allow-list`.
 */
import { once } from 'node:events';
import {
  AllowList,
  curveKeyPair,
  ZeroMQClient,
  ZeroMQError,
  ZeroMQRouter,
  ZeroMQWorker,
} from 'zeromq-gateway';

const [ofRouter, ofWorker, ofClient, ofStranger] = [
  curveKeyPair(),
  curveKeyPair(),
  curveKeyPair(),
  curveKeyPair(),
];
const known = new AllowList({
  peers: [
    { publicKey: ofWorker.publicKey, name: 'worker', role: 'worker', serves: ['secret'] },
    { publicKey: ofClient.publicKey, name: 'client', role: 'client', calls: ['secret'] },
  ],
});

const router = new ZeroMQRouter({
  frontendConnection: 'tcp://127.0.0.1:0',
  backendConnection: 'tcp://127.0.0.1:0',
  curve: { ...ofRouter, authenticator: known },
});
const { frontend, backend } = await router.start();

/** The router's public key, with which the other nodes verify the router. */
const trust = { serverKey: ofRouter.publicKey };
const worker = new ZeroMQWorker({
  connection: backend,
  handlers: { secret: () => 'for permitted clients' },
  curve: { ...trust, ...ofWorker },
});
await Promise.all([once(router, 'workerJoined'), worker.start()]);

const client = new ZeroMQClient({ connection: frontend, curve: { ...trust, ...ofClient } });
console.log(`client: ${(await client.sendMessage<string>('secret')).eventData}`);

const stranger = new ZeroMQClient({
  connection: frontend,
  connectTimeout: 500,
  curve: { ...trust, ...ofStranger },
});
try {
  await stranger.sendMessage('secret');
} catch (error) {
  console.log(`stranger: ${error instanceof ZeroMQError ? error.code : String(error)}`);
}

await Promise.all([client.close(), stranger.close()]);
await worker.stop();
await router.stop();
