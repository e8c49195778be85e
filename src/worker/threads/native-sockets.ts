/**
 * Keeps native ZeroMQ sockets out of a worker thread. zeromq.js aborts the whole process when a
 * thread ends while one of its sockets waits for a message. A thread can end without running any
 * JavaScript, when it is terminated or runs out of memory. A module that opens sockets therefore
 * runs in a process (`module-process.ts`).
 */
import { ZeroMQError } from '../../core/messages/errors.ts';
import { onNodeCreated } from '../../core/observability/lifecycle.ts';

/** The native addon of any copy of zeromq.js, version 6. */
interface ZeroMQAddon {
  Socket: new (...args: unknown[]) => object;
}

/**
 * Makes every later attempt in this thread to create a socket, or a node that opens one, call
 * `attempted` and throw. Call it before the first import of zeromq.
 */
export function rejectNativeSockets(attempted: () => void): void {
  const reject = (): never => {
    attempted();
    throw new ZeroMQError(
      'THREAD_SOCKET',
      'a worker thread cannot open ZeroMQ sockets: the worker moves to a process; ' +
        "set isolation: 'process' in defineWorker to start it there",
    );
  };
  onNodeCreated(reject);
  const dlopen = process.dlopen.bind(process) as (...args: unknown[]) => void;
  process.dlopen = (module: { exports?: unknown }, ...rest: [string, number?]): void => {
    dlopen(module, ...rest);
    const addon = module.exports;
    if (isZeroMQ(addon)) addon.Socket = new Proxy(addon.Socket, { construct: reject });
  };
}

function isZeroMQ(exports: unknown): exports is ZeroMQAddon {
  if (typeof exports !== 'object' || exports === null) return false;
  return ['Socket', 'Observer', 'Context', 'curveKeyPair'].every((name) => name in exports);
}
