/** Runs the jobs of BullMQ, up to 64 at a time. */
import { Worker } from 'bullmq';
import { ready } from '../ready.mjs';

const worker = new Worker('jobs', async ({ data }) => ({ message: data.message }), {
  connection: { host: '127.0.0.1', port: Number(process.env.PEER_REDIS) },
  concurrency: 64,
});
await worker.waitUntilReady();
ready();
