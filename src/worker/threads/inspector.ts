/** The debugger port of a process that runs a worker module. */
import inspector from 'node:inspector';
import { createServer } from 'node:net';

const HOST = '127.0.0.1';

/** Interval of attempts while the port is in use, in ms. */
const RETRY = 100;

/**
 * Opens the debugger of this process. While the port is in use, it tries again: the process that
 * this one replaces has it until it ends.
 *
 * @param opened called when a debugger can attach.
 */
export function openInspector(port: number, opened: () => void): void {
  void isFree(port).then((free) => {
    if (free) inspector.open(port, HOST);
    if (inspector.url() !== undefined) opened();
    else setTimeout(() => openInspector(port, opened), RETRY).unref();
  });
}

/** Whether nothing listens on this port of the loopback interface. */
export function isFree(port: number, host = HOST): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
