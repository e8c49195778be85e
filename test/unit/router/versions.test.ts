/** Choice among workers that serve an event in several versions of a contract. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ReplyMessage } from '../../../src/core/messages/message.ts';
import { System } from './fixture.ts';

const rank = (e: number) => ({ ranks: new Map([['e', e]]) });
/** The reply of a worker whose version of the contract does not allow the data. */
const INVALID: Partial<ReplyMessage> = { code: 'INVALID_REQUEST', status: 400, dispatched: false };

describe('workers of an event in several versions', () => {
  it('contract versions: workers receive requests in the order of their rank while they have credit', () => {
    const system = new System();
    const oldest = system.worker(rank(-1));
    const old = system.worker();
    const latest = system.worker(rank(1));
    for (let n = 0; n < 4; n += 1) system.submit();
    assert.deepEqual(
      [latest, old, oldest].map(({ sent }) => sent.map(({ pending }) => pending.state)),
      [['dispatched'], ['dispatched'], ['dispatched']],
    );
    const [first] = latest.sent;
    assert.equal(first?.pending.worker, latest.worker);
    oldest.reply();
    assert.equal(oldest.sent.length, 2, 'a queued request goes to the first free worker');
  });

  it('contract versions: workers of all versions share events that did not change', () => {
    const system = new System();
    const old = system.worker({ events: ['e', 'same'], concurrency: 10 });
    const latest = system.worker({ events: ['e', 'same'], concurrency: 10, ...rank(1) });
    for (let n = 0; n < 6; n += 1) system.submit({ eventName: 'same' });
    assert.deepEqual([old.sent.length, latest.sent.length], [3, 3]);
    for (let n = 0; n < 6; n += 1) system.submit({ eventName: 'e' });
    assert.deepEqual([old.sent.length, latest.sent.length], [3, 9]);
  });

  it('contract versions: a request rejected by an earlier version goes to the latest version', () => {
    const system = new System();
    const old = system.worker();
    const latest = system.worker(rank(1));
    system.submit();
    const modern = system.submit();
    assert.equal(modern.worker, old.worker);
    old.reply(INVALID);
    assert.equal(modern.state, 'queued');
    assert.deepEqual(system.client.codes, []);
    latest.reply();
    assert.equal(modern.worker, latest.worker);
    latest.reply();
    assert.deepEqual(system.client.codes, ['ok', 'ok']);
    assert.deepEqual([old.sent.length, latest.sent.length, modern.attempts], [1, 2, 1]);
  });

  it('contract versions: a rejection by the latest version is final', () => {
    const system = new System();
    const old = system.worker();
    const latest = system.worker(rank(1));
    system.submit();
    latest.reply(INVALID);
    system.core.block(latest.worker);
    system.submit({ body: Buffer.from('{"ran":1}') });
    old.reply({ ...INVALID, dispatched: true });
    assert.deepEqual(system.client.codes, ['INVALID_REQUEST', 'INVALID_REQUEST']);
  });

  it('contract versions: a rejection by an earlier version is final if the latest version has left', () => {
    const system = new System();
    const old = system.worker();
    const latest = system.worker(rank(1));
    system.submit();
    const modern = system.submit();
    old.reply(INVALID);
    latest.reply();
    latest.remove();
    assert.equal(modern.state, 'settled', 'the latest version had it, and was lost');
    const latest2 = system.worker(rank(1));
    system.submit();
    const other = system.submit();
    old.reply(INVALID);
    assert.equal(other.state, 'queued');
    latest2.remove();
    // The latest version has left, so the reply of the earlier one is final.
    system.pass(16);
    assert.equal(other.worker, old.worker);
    old.reply(INVALID);
    assert.equal(system.client.codes.at(-1), 'INVALID_REQUEST');
  });

  it('contract versions: an earlier version runs requests queued behind one for the latest version', () => {
    const system = new System();
    const old = system.worker();
    const latest = system.worker(rank(1));
    system.submit();
    const modern = system.submit({ timeLeft: 50 });
    const behind = system.submit();
    old.reply(INVALID);
    assert.deepEqual([modern.state, behind.state], ['queued', 'queued']);
    latest.reply();
    assert.deepEqual([modern.worker, behind.worker], [latest.worker, old.worker]);
  });

  for (const [how, end] of [
    ['expires', (system: System) => system.pass(100)],
    [
      'is cancelled',
      (system: System, pending: ReturnType<System['submit']>) => {
        system.core.cancel(pending);
        system.pass(16);
      },
    ],
  ] as const) {
    it(`contract versions: an earlier version runs further requests when one for the latest ${how}`, () => {
      const system = new System();
      const old = system.worker();
      system.worker(rank(1));
      system.submit();
      const modern = system.submit({ timeLeft: 50 });
      const behind = system.submit();
      old.reply(INVALID);
      end(system, modern);
      assert.deepEqual([modern.state, behind.worker], ['settled', old.worker]);
    });
  }
});
