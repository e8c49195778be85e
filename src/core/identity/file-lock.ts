/**
 * A lock between processes: a file that only one process can create. It names its holder, so that
 * the next process can break the lock of one that died.
 *
 * The package `proper-lockfile` 4.1.2, the latest since 2021, does not record the holder. After a
 * crash, the next process waits until the time stamp of the lock is stale.
 */
import { randomBytes } from 'node:crypto';
import { readFile, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ZeroMQConfigError } from '../messages/errors.ts';
import { systemClock } from '../time/clock.ts';

/** Options of {@link withFileLock}. */
export interface FileLockOptions {
  /**
   * Maximum wait for the lock, in milliseconds.
   * @defaultValue 10,000
   */
  readonly timeout?: number;
  /**
   * A lock held for longer than this is broken even if its process cannot be checked, in
   * milliseconds.
   * @defaultValue 3000
   */
  readonly staleAfter?: number;
}

/**
 * Whether this process still holds the lock. Another process may break it while this one is
 * suspended.
 */
export type StillHeld = () => Promise<boolean>;

/** Maximum pause between two attempts, in milliseconds. */
const POLL = 15;

/**
 * Runs `work` while holding the lock.
 *
 * @param path path of the lock file; its folder must exist.
 * @throws {ZeroMQConfigError} when another process keeps the lock.
 * @throws whatever the file system or `work` throws.
 */
export async function withFileLock<T>(
  path: string,
  work: (stillHeld: StillHeld) => Promise<T>,
  options: FileLockOptions = {},
): Promise<T> {
  const token = `${process.pid} ${hostname()} ${randomBytes(8).toString('hex')}`;
  await acquire(path, token, options);
  const stillHeld: StillHeld = async () => (await holderOf(path)) === token;
  try {
    return await work(stillHeld);
  } finally {
    if (await stillHeld()) await remove(path);
  }
}

async function acquire(path: string, token: string, options: FileLockOptions): Promise<void> {
  const { timeout = 10_000, staleAfter = 3000 } = options;
  const start = systemClock.now();
  let seen: { holder: string; since: number } | undefined;
  while (!(await create(path, token))) {
    const holder = await holderOf(path);
    if (holder === undefined) continue;
    const now = systemClock.now();
    if (seen?.holder !== holder) seen = { holder, since: now };
    if (isDead(holder) || now - seen.since > staleAfter) await breakLock(path, holder, options);
    else if (now - start > timeout) {
      throw new ZeroMQConfigError(
        `${path}: still locked after ${timeout} ms by process ${holder}; remove the file if that process is gone`,
      );
    }
    // This timer is not unref'd: while the first node starts, nothing else may keep the process
    // alive.
    else await sleep(1 + Math.random() * POLL);
  }
}

/** Creates the lock file with a token. Returns false when it exists. */
async function create(path: string, token: string): Promise<boolean> {
  try {
    await writeFile(path, token, { flag: 'wx' });
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/**
 * The token in the lock file; empty while its holder has not written it yet, undefined without a
 * lock.
 */
async function holderOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Whether the holder ran on this machine and its process has ended. */
function isDead(holder: string): boolean {
  const [pid, host] = holder.split(' ');
  if (host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return isCode(error, 'ESRCH');
  }
}

/**
 * Removes the stale lock of `holder`. Removing it requires a second lock, named after the holder.
 * Otherwise, of several processes that found the lock stale, one could remove the lock that another
 * has just taken.
 */
async function breakLock(path: string, holder: string, options: FileLockOptions): Promise<void> {
  const right = `${path}.${/[0-9a-f]{16}$/.exec(holder)?.[0] ?? 'unnamed'}`;
  const removeIfSame = async (): Promise<void> => {
    if ((await holderOf(path)) === holder) await remove(path);
  };
  await withFileLock(right, removeIfSame, options);
}

async function remove(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
}

/** Whether an error of the file system has a code. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
