/**
 * A worker in its own process, which a test can kill. `hold` never replies, `pid` returns the
 * process id, `freeze` blocks the event loop.
 */
import { ZeroMQHeartbeatConfig, ZeroMQWorker } from '../../src/index.ts';

const [connection = '', heartbeat] = process.argv.slice(2);
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

/** Longer than any test waits, in ms. */
const FROZEN = 60_000;

const worker = new ZeroMQWorker({
  connection,
  heartbeatConfig:
    heartbeat === undefined ? undefined : new ZeroMQHeartbeatConfig(heartbeat, { interval: 100 }),
  handlers: {
    hold: (data: unknown) => {
      say({ got: data });
      return new Promise(() => undefined);
    },
    pid: () => process.pid,
    freeze: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FROZEN),
  },
});
worker.on('accepted', () => say({ accepted: true }));
worker.on('rejected', (_endpoint, reason) => say({ refused: reason }));
await worker.start();
