/** Socket files of IPC endpoints: a live one is respected, a stale one is removed, our own goes with its socket. */
import { lstatSync, unlinkSync } from 'node:fs';
import { lstat, stat, unlink } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { dirname, resolve } from 'node:path';
import { ZeroMQSocketInvalid } from '../../core/messages/errors.ts';

/**
 * Makes way for a bind. libzmq removes whatever lies at the path, also the socket of a running process; so we ask
 * first whether somebody listens.
 *
 * @throws ZeroMQSocketInvalid when somebody listens there, the path is no socket, or its folder is not there.
 */
export async function clearIpcPath(path: string): Promise<void> {
  if (!isFile(path)) return;
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return checkFolder(path);
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

/** libzmq says of a folder that is not there that there is no such endpoint. */
async function checkFolder(path: string): Promise<void> {
  const folder = dirname(path);
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return;
  throw new ZeroMQSocketInvalid('ENOENT', `cannot bind ipc://${path}: there is no folder ${folder}`);
}

/** Whether the path is that of a file: not in Linux' abstract namespace, and none that libzmq makes up. */
function isFile(path: string): boolean {
  return !path.startsWith('@') && path !== '*';
}

/** The socket file that a bind made; libzmq leaves it behind. */
export class BoundIpcFile {
  private readonly path: string;
  private readonly inode: number | undefined;

  /** @param path where a socket of ours has just been bound. */
  constructor(path: string) {
    this.path = resolve(path);
    this.inode = isFile(path) ? this.inodeNow() : undefined;
  }

  /** Removes the file, unless another one has taken its place. */
  remove(): void {
    if (this.inode === undefined || this.inodeNow() !== this.inode) return;
    try {
      unlinkSync(this.path);
    } catch {
      // The folder is not ours to change any more: the next bind finds the file stale.
    }
  }

  private inodeNow(): number | undefined {
    return lstatSync(this.path, { throwIfNoEntry: false })?.ino;
  }
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
