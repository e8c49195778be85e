/**
 * Socket files of IPC endpoints. A live one is kept, a stale one is removed, and a socket's own
 * file is removed when the socket closes.
 */
import { lstatSync, unlinkSync } from 'node:fs';
import { lstat, stat, unlink } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { dirname, resolve } from 'node:path';
import { ZeroMQSocketInvalid } from '../../core/messages/errors.ts';

/**
 * Prepares a path for a bind. libzmq removes any file at the path, even the socket of a running
 * process. The path is therefore probed for a listener first.
 *
 * @throws {ZeroMQSocketInvalid} when a process listens there, the path is not a socket, or its
 *   folder does not exist
 */
export async function clearIpcPath(path: string): Promise<void> {
  if (!isFile(path)) return;
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return checkFolder(path);
  if (!found.isSocket()) {
    throw new ZeroMQSocketInvalid(
      'EADDRINUSE',
      `cannot bind ipc://${path}: the path is a file that is not a socket`,
    );
  }
  if (await listens(path)) {
    throw new ZeroMQSocketInvalid('EADDRINUSE', `cannot bind ipc://${path}: another process listens there`);
  }
  await unlink(path).catch(() => undefined);
}

/** For a missing folder, libzmq reports that the endpoint does not exist. */
async function checkFolder(path: string): Promise<void> {
  const folder = dirname(path);
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return;
  throw new ZeroMQSocketInvalid('ENOENT', `cannot bind ipc://${path}: the folder ${folder} does not exist`);
}

/**
 * Whether the path names a file: not in the abstract namespace of Linux, and not chosen by libzmq.
 */
function isFile(path: string): boolean {
  return !path.startsWith('@') && path !== '*';
}

/** The socket file that a bind created; libzmq does not remove it. */
export class BoundIpcFile {
  private readonly path: string;
  private readonly inode: number | undefined;

  /**
   * Records the file.
   *
   * @param path where a socket was just bound
   */
  constructor(path: string) {
    this.path = resolve(path);
    this.inode = isFile(path) ? this.inodeNow() : undefined;
  }

  /** Removes the file, unless another one has replaced it. */
  remove(): void {
    if (this.inode === undefined || this.inodeNow() !== this.inode) return;
    try {
      unlinkSync(this.path);
    } catch {
      // The folder is not writable any longer. The next bind finds the file stale.
    }
  }

  private inodeNow(): number | undefined {
    return lstatSync(this.path, { throwIfNoEntry: false })?.ino;
  }
}

/**
 * Errors of connecting to a socket file whose process has ended. Any other result, such as a full
 * backlog, comes from a running process.
 */
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
