/**
 * A worker in a process of its own, so that it can be killed and stopped; built, since it starts sooner. It writes what it
 * runs into the checker's log (soak/lib/log.ts). A request with `time` takes that many ms. A request with `hold` runs until
 * the line `release` comes on standard input, or its caller gives up.
 */
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger, ZeroMQHeartbeatConfig, ZeroMQWorker } from '../../../dist/index.js';

const { name, folder, connection, concurrency, heartbeat } = JSON.parse(process.argv[2]);
const log = path.join(folder, `${name}.jsonl`);
const held = new Set();
let runs = 0;

async function run({ id, hold, time }, { signal }) {
  runs += 1;
  const by = `${name}-${runs}`;
  appendFileSync(log, `${JSON.stringify({ t: 'began', id, by })}\n`);
  console.log(`began ${id}`);
  if (hold) await released(id, signal);
  if (time !== undefined) await sleep(time);
  appendFileSync(log, `${JSON.stringify({ t: 'ended', id, by })}\n`);
  return { id, by };
}

function released(id, signal) {
  return new Promise((resolve) => {
    held.add(resolve);
    signal.addEventListener('abort', () => {
      console.log(`aborted ${id}: ${signal.reason.message}`);
      resolve();
    });
  });
}

createInterface({ input: process.stdin }).on('line', () => {
  for (const release of held) release();
  held.clear();
});
const worker = new ZeroMQWorker({
  connection,
  concurrency,
  heartbeatConfig: heartbeat && new ZeroMQHeartbeatConfig(heartbeat, { interval: 50 }),
  handlers: { put: run, post: run },
  logger: silentLogger,
});
worker.on('accepted', () => console.log('accepted'));
await worker.start();
