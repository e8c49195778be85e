/**
 * A worker in a process of its own, which a test can kill and stop. It uses the build, which starts
 * faster than the sources.
 *
 * It writes the start and the end of each run into the checker's log (soak/lib/log.ts). A request
 * with `time` takes that many milliseconds. A request with `hold` runs until the line `release`
 * arrives on standard input, or until its signal aborts.
 */
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import Joi from 'joi';
import { defineContract, silentLogger, ZeroMQHeartbeatConfig, ZeroMQWorker } from '../../../dist/index.js';

const { name, folder, connection, concurrency, heartbeat, contractVersion } = JSON.parse(process.argv[2]);
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

/** Version 2 requires a member that version 1 does not have, so the two are incompatible. */
function contractOf(version) {
  const data = Joi.object({
    id: Joi.string().required(),
    hold: Joi.boolean().required(),
    time: Joi.number(),
    ...(version === 2 && { priority: Joi.number().required() }),
  });
  const events = {
    put: { method: 'PUT', path: '/tasks', data },
    post: { method: 'POST', path: '/tasks', data },
  };
  return defineContract({ name: 'tasks', events });
}

createInterface({ input: process.stdin }).on('line', () => {
  for (const release of held) release();
  held.clear();
});
const worker = new ZeroMQWorker({
  connection,
  concurrency,
  heartbeatConfig: heartbeat && new ZeroMQHeartbeatConfig(heartbeat, { interval: 50 }),
  contract: contractVersion && contractOf(contractVersion),
  handlers: { put: run, post: run },
  logger: silentLogger,
});
worker.on('accepted', () => console.log('accepted'));
worker.on('rejected', (_endpoint, reason) => console.log(`refused: ${reason}`));
await worker.start();
