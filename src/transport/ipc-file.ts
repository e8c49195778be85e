/** Socket files of IPC endpoints: a live one is respected, a stale one is removed. */
import { lstat, unlink } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { ZeroMQSocketInvalid } from '../core/errors.ts';

/**
 * Makes way for a bind. libzmq removes whatever lies at the path, also the socket of a running process; so we ask
 * first whether somebody listens.
 *
 * @throws ZeroMQSocketInvalid when somebody listens there, or the path is no socket.
 */
export async function clearIpcPath(path: string): Promise<void> {
  if (path.startsWith('@') || path === '*') return;
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new ZeroMQSocketInvalid(
      'EADDRINUSE',
      `cannot bind ipc://${path}: a file that is no socket lies there`,
    );
  }
  if (await listens(path)) {
    throw new ZeroMQSocketInvalid('EADDRINUSE', `cannot bind ipc://${path}: another process listens there`);
  }
  await unlink(path).catch(() => undefined);
}

/** What a socket file answers whose process is gone. Anything else, such as a full backlog, is somebody alive. */
const STALE = new Set(['ECONNREFUSED', 'ENOENT']);

function listens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createConnection(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      probe.destroy();
      resolve(!STALE.has(error.code ?? ''));
    });
  });
}
