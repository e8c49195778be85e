/**
 * A worker whose event loop is blocked between its connection, which libzmq establishes in its own
 * thread, and its hello.
 *
 * Arguments: backend, milliseconds, and `serve` or `stop` for what it does then. It ends when its
 * stdin is closed.
 */
import { once } from 'node:events';
import { ReplyError, silentLogger, ZeroMQWorker } from '../../../src/index.ts';

const [connection = '', pause = '0', then = 'serve'] = process.argv.slice(2);

const worker = new ZeroMQWorker({
  connection,
  logger: silentLogger,
  handlers: {
    run: (data: unknown) => {
      process.stdout.write(`ran ${JSON.stringify(data)}\n`);
      return data;
    },
    refuse: () => {
      throw new ReplyError(404, 'NOT_FOUND', 'no such thing');
    },
  },
});
await worker.start();
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(pause));
if (then === 'stop') await worker.stop({ deadline: 1000 });
process.stdin.resume();
await once(process.stdin, 'end');
await worker.stop({ deadline: 100 });
