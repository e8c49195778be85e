/** A worker in a process of its own, so that a test can kill it: `hold` never ends, `pid` says who it is. */
import { ZeroMQWorker } from '../../src/index.ts';

const [connection = ''] = process.argv.slice(2);
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const worker = new ZeroMQWorker({
  connection,
  handlers: {
    hold: (data: unknown) => {
      say({ got: data });
      return new Promise(() => undefined);
    },
    pid: () => process.pid,
  },
});
worker.on('accepted', () => say({ accepted: true }));
worker.on('refused', (_endpoint, reason) => say({ refused: reason }));
await worker.start();
