import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KnownUser } from '../../../../src/gateway/security/htpasswd.ts';
import { PasswordTable } from '../../../../src/gateway/security/password-table.ts';

const USERS = new Map(
  ['eva', 'otto', 'zoë'].map((id) => [id, { hash: `hash of ${id}`, caller: { id, scopes: [`${id}:read`] } }]),
);

/**
 * Creates a table with the hash `hash of USER` for the password `secret of USER`, and records checks.
 */
function newTable(users: ReadonlyMap<string, KnownUser> = USERS) {
  const checked: string[] = [];
  const clock = { time: 1000, now: () => clock.time };
  const state = { busy: false };
  const table = new PasswordTable(
    users,
    (password, hash) => {
      if (state.busy) return Promise.resolve(undefined);
      checked.push(`${password} ${hash}`);
      return Promise.resolve(password.replace('secret', 'hash') === hash);
    },
    clock,
  );
  const find = async (user: string, password: string) => {
    const finding = await table.find({ user, password });
    return finding.kind === 'known' ? finding.caller : finding.kind;
  };
  return { find, checked, clock, state };
}

describe('a table of users', () => {
  it('PasswordTable: finds a user and scopes by password', async () => {
    const { find } = newTable();
    assert.deepEqual(await find('eva', 'secret of eva'), { id: 'eva', scopes: ['eva:read'] });
    assert.equal(await find('eva', 'secret of otto'), 'invalid');
    assert.equal(await find('Eva', 'secret of eva'), 'invalid');
    assert.equal(await find('eva', ''), 'invalid');
  });

  it('PasswordTable: checks the same credentials once, valid or not, until the cache entry expires', async () => {
    const { find, checked, clock } = newTable();
    for (let n = 0; n < 5; n += 1) await find('eva', 'secret of eva');
    for (let n = 0; n < 5; n += 1) await find('eva', 'wrong');
    assert.equal(checked.length, 2);
    clock.time += 10_001;
    await find('eva', 'wrong');
    await find('eva', 'secret of eva');
    assert.equal(checked.length, 3);
    clock.time += 300_001;
    await find('eva', 'secret of eva');
    assert.equal(checked.length, 4);
  });

  it('PasswordTable: shares one check between concurrent requests', async () => {
    const { find, checked } = newTable();
    const found = await Promise.all(Array.from({ length: 5 }, () => find('eva', 'secret of eva')));
    assert.deepEqual(found, Array(5).fill({ id: 'eva', scopes: ['eva:read'] }));
    assert.equal(checked.length, 1);
  });

  it('PasswordTable: checks passwords of unknown users against the same hash each time, and rejects them', async () => {
    const { find, checked } = newTable();
    for (const password of ['a', 'b', ...[...USERS.keys()].map((id) => `secret of ${id}`)]) {
      assert.equal(await find('stranger', password), 'invalid');
    }
    assert.equal(checked.length, 5);
    const hashes = new Set(checked.map((text) => text.slice(text.indexOf('hash of'))));
    assert.equal(hashes.size, 1);
    for (let n = 0; n < 40; n += 1) await find(`stranger ${n}`, 'x');
    assert.equal(new Set(checked.map((text) => text.slice(text.indexOf('hash of')))).size, USERS.size);
  });

  it('PasswordTable: distinguishes a colon in the password from the separator', async () => {
    const { find } = newTable(new Map([['a', { hash: 'hash of a:b', caller: { id: 'a' } }]]));
    assert.deepEqual(await find('a', 'secret of a:b'), { id: 'a' });
    assert.equal(await find('a:secret of a', 'b'), 'invalid');
  });

  it('PasswordTable: does not cache a check that could not start', async () => {
    const { find, state } = newTable();
    state.busy = true;
    assert.equal(await find('eva', 'secret of eva'), 'unavailable');
    state.busy = false;
    assert.deepEqual(await find('eva', 'secret of eva'), { id: 'eva', scopes: ['eva:read'] });
  });

  it('PasswordTable: rejects all credentials without users', async () => {
    const { find, checked } = newTable(new Map());
    assert.equal(await find('eva', 'secret of eva'), 'invalid');
    assert.deepEqual(checked, []);
  });
});
