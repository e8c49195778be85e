/** A client in its own thread. It sends a request to a server of the main thread over INPROC. */
import { parentPort, workerData } from 'node:worker_threads';
import { ZeroMQClient } from '../../dist/index.js';

const client = new ZeroMQClient({ connection: workerData });
await client.connect({ throwOnFailure: true });
const { eventData } = await client.sendMessage('echo', 'from a thread');
await client.close();
parentPort?.postMessage(eventData);
