/**
 * Many native workers in one process, each with its own sockets and heartbeats. Arguments: backend,
 * heartbeat endpoint, number of workers.
 */
import { once } from 'node:events';
import type * as Framework from '../../src/index.ts';
import { built } from './built.ts';
import { eventName } from './commands.ts';
import { serve } from './serve.ts';

const { ZeroMQHeartbeatConfig, ZeroMQWorker } = await built<typeof Framework>('index');

const [backend = '', heartbeat = '', count = '1'] = process.argv.slice(2);
const workers = Array.from({ length: Number(count) }, () => {
  const echo = (data: { message?: string }): object => ({ message: data.message });
  return new ZeroMQWorker({
    connection: backend,
    handlers: { 'echo.get': echo, [eventName(0)]: echo },
    heartbeatConfig: new ZeroMQHeartbeatConfig(heartbeat),
  });
});
await Promise.all(
  workers.map(async (worker) => {
    const accepted = once(worker, 'accepted');
    await worker.start();
    await accepted;
  }),
);

serve('', () => Promise.resolve());
