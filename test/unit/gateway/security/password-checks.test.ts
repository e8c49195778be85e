import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hash as hashAsync } from '@node-rs/bcrypt';
import { PasswordChecks, passwordChecks } from '../../../../src/gateway/security/password-checks.ts';

/** Creates checks that the test completes. */
function controlledChecks(limits: ConstructorParameters<typeof PasswordChecks>[1]) {
  const running: { readonly password: string; end(right: boolean): void; fail(): void }[] = [];
  const started: string[] = [];
  const checks = new PasswordChecks((password) => {
    started.push(password);
    return new Promise((resolve, reject) => {
      running.push({ password, end: resolve, fail: () => reject(new Error('no memory')) });
    });
  }, limits);
  return { started, running, check: (password: string) => checks.check(password, 'hash') };
}

/** Waits until all ready callbacks have run. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('checks of passwords', () => {
  it('PasswordChecks: run a limited number at a time, in order', async () => {
    const { check, running, started } = controlledChecks({ atOnce: 2, waiting: 10, longest: 60_000 });
    const results = ['a', 'b', 'c', 'd'].map(check);
    await settled();
    assert.deepEqual(started, ['a', 'b']);
    running[1]?.end(true);
    await settled();
    assert.deepEqual(started, ['a', 'b', 'c']);
    running[0]?.end(false);
    await settled();
    running[2]?.end(true);
    running[3]?.end(false);
    assert.deepEqual(await Promise.all(results), [false, true, true, false]);
  });

  it('PasswordChecks: do not start if too many are waiting', async () => {
    const { check, running, started } = controlledChecks({ atOnce: 1, waiting: 1, longest: 60_000 });
    const first = check('a');
    const second = check('b');
    assert.equal(await check('c'), undefined);
    running[0]?.end(true);
    await first;
    await settled();
    running[1]?.end(true);
    assert.equal(await second, true);
    assert.deepEqual(started, ['a', 'b']);
  });

  it('PasswordChecks: do not start after waiting too long', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { check, running, started } = controlledChecks({ atOnce: 1, waiting: 5, longest: 1000 });
    const first = check('a');
    const second = check('b');
    t.mock.timers.tick(1000);
    assert.equal(await second, undefined);
    running[0]?.end(true);
    assert.equal(await first, true);
    assert.deepEqual(started, ['a']);
  });

  it('PasswordChecks: start the next check when one fails', async () => {
    const { check, running } = controlledChecks({ atOnce: 1, waiting: 5, longest: 60_000 });
    const first = check('a');
    const second = check('b');
    await settled();
    running[0]?.fail();
    await assert.rejects(first, /no memory/);
    await settled();
    running[1]?.end(true);
    assert.equal(await second, true);
  });

  it('PasswordChecks: do not block the event loop', async () => {
    const hash = await hashAsync('secret', 10);
    let turns = 0;
    let done = false;
    const checked = passwordChecks()('secret', hash).finally(() => {
      done = true;
    });
    while (!done) {
      turns += 1;
      await settled();
    }
    assert.equal(await checked, true);
    assert.ok(turns > 20, `${turns} turns of the event loop`);
  });

  it('PasswordChecks: support the three prefixes of bcrypt', async () => {
    // Vectors of crypt_blowfish for $2a$ and $2y$; $2b$ is equal for passwords without surrogates.
    const rest = '05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
    for (const prefix of ['$2a$', '$2b$', '$2y$']) {
      assert.equal(await passwordChecks()('U*U', prefix + rest), true);
      assert.equal(await passwordChecks()('U*V', prefix + rest), false);
    }
  });
});
