import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { withResolvers } from '../../../../src/core/collections/deferred.ts';
import { withFileLock } from '../../../../src/core/identity/file-lock.ts';
import { ZeroMQConfigError } from '../../../../src/core/messages/errors.ts';
import { tempFolder } from '../../../helpers/temp.ts';

/** A pid without a process. */
function deadPid(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

describe('withFileLock', () => {
  it('withFileLock: admits one holder at a time and removes the lock file', async (t) => {
    const folder = tempFolder(t);
    const lock = join(folder, 'x.lock');
    let inside = 0;
    const work = async () => {
      inside += 1;
      assert.equal(inside, 1);
      await turn();
      assert.equal(inside, 1);
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 8 }, () => withFileLock(lock, work)));
    assert.deepEqual(readdirSync(folder), []);
  });

  it('withFileLock: releases the lock when the work fails', async (t) => {
    const lock = join(tempFolder(t), 'x.lock');
    await assert.rejects(
      withFileLock(lock, () => Promise.reject(new Error('no'))),
      /^Error: no$/,
    );
    assert.equal(await withFileLock(lock, () => Promise.resolve(7)), 7);
  });

  it('withFileLock: breaks the lock of a dead process at once, and only one of several waiters does', async (t) => {
    const folder = tempFolder(t);
    const lock = join(folder, 'x.lock');
    writeFileSync(lock, `${deadPid()} ${hostname()} 0123456789abcdef`);
    let inside = 0;
    const work = async () => {
      inside += 1;
      await turn();
      assert.equal(inside, 1);
      inside -= 1;
    };
    const options = { staleAfter: 60_000, timeout: 60_000 };
    await Promise.all(Array.from({ length: 8 }, () => withFileLock(lock, work, options)));
    assert.deepEqual(readdirSync(folder), []);
  });

  it('withFileLock: breaks a lock whose breaker died too', async (t) => {
    const folder = tempFolder(t);
    const lock = join(folder, 'x.lock');
    writeFileSync(lock, `${deadPid()} ${hostname()} 0123456789abcdef`);
    writeFileSync(`${lock}.0123456789abcdef`, `${deadPid()} ${hostname()} fedcba9876543210`);
    await withFileLock(lock, () => Promise.resolve(), { staleAfter: 60_000, timeout: 60_000 });
    assert.deepEqual(readdirSync(folder), []);
  });

  for (const [what, token] of [
    ['a process on another machine', '17 elsewhere 0123456789abcdef'],
    ['an unnamed holder', ''],
    ['a holder with a forged name', `1 ${hostname()} ../../../../etc`],
  ] as const) {
    it(`withFileLock: breaks the lock of ${what} after it was held for too long`, async (t) => {
      const folder = tempFolder(t);
      const lock = join(folder, 'x.lock');
      writeFileSync(lock, token);
      await withFileLock(lock, () => Promise.resolve(), { staleAfter: 40 });
      assert.deepEqual(readdirSync(folder), []);
    });
  }

  it('withFileLock: fails with a clear error while the holder keeps the lock', async (t) => {
    const lock = join(tempFolder(t), 'x.lock');
    const release = withResolvers();
    const entered = withResolvers();
    const holder = withFileLock(lock, () => {
      entered.resolve();
      return release.promise;
    });
    await entered.promise;
    await assert.rejects(
      withFileLock(lock, () => Promise.resolve(), { timeout: 40 }),
      (error) =>
        error instanceof ZeroMQConfigError &&
        /x\.lock: still locked after 40 ms by process \d+/.test(error.message),
    );
    release.resolve();
    await holder;
  });

  it('withFileLock: a holder that was presumed dead notices and leaves the next lock alone', async (t) => {
    const lock = join(tempFolder(t), 'x.lock');
    const release = withResolvers();
    const entered = withResolvers();
    const slow = withFileLock(lock, async (stillHeld) => {
      assert.equal(await stillHeld(), true);
      entered.resolve();
      await release.promise;
      return stillHeld();
    });
    await entered.promise;
    await withFileLock(
      lock,
      async () => {
        const mine = readFileSync(lock, 'utf8');
        release.resolve();
        assert.equal(await slow, false);
        assert.equal(readFileSync(lock, 'utf8'), mine);
      },
      { staleAfter: 30 },
    );
    assert.equal(existsSync(lock), false);
  });
});
