/** Express in front of BullMQ: adds a job and answers 202 once Redis has stored it. */
import { Queue } from 'bullmq';
import express from 'express';
import { readyHttp } from '../ready.mjs';

const queue = new Queue('jobs', { connection: { host: '127.0.0.1', port: Number(process.env.PEER_REDIS) } });
await queue.waitUntilReady();

const app = express();
app.post('/jobs', express.json(), async (req, res) => {
  const job = await queue.add('job', req.body);
  res.status(202).location(`/requests/${job.id}`).json({ id: job.id, state: 'accepted' });
});

const server = app.listen(0, '127.0.0.1', () => readyHttp(server));
