import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ReplyMessage } from '../../../../src/core/messages/message.ts';
import { AnnouncedContracts } from '../../../../src/router/backend/contracts.ts';
import { BuiltinEvents, type DeferredReply } from '../../../../src/router/frontend/builtin-events.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { makeRequest } from '../../wire/messages.ts';

function make() {
  const clock = new FakeClock();
  const contracts = new AnnouncedContracts(undefined);
  const builtins = new BuiltinEvents(() => 'me', contracts, undefined, clock);
  const replies: { code: string; data: unknown; held: DeferredReply | undefined }[] = [];
  const ask = (eventName: string, data: unknown = null, timeLeft = 5000): DeferredReply | undefined => {
    const body = Buffer.from(typeof data === 'string' ? data : JSON.stringify(data));
    return builtins.handle(makeRequest({ eventName, body, timeLeft }), (reply: ReplyMessage, held) => {
      replies.push({ code: reply.code, data: JSON.parse(String(reply.body)), held });
    });
  };
  return { clock, contracts, builtins, replies, ask };
}

describe('events of the router', () => {
  it('$router.ping says who it is', () => {
    const { replies, ask } = make();
    assert.equal(ask('$router.ping', '{"broken'), undefined);
    assert.deepEqual(replies, [{ code: '', data: { router: 'me' }, held: undefined }]);
  });

  it('are only those', () => {
    const { replies, ask } = make();
    ask('$router.other');
    assert.equal(replies[0]?.code, 'NO_WORKER');
  });
});

describe('$router.contracts', () => {
  for (const data of [null, { since: 7 }, { since: '0' }, '{"broken', [0]]) {
    it(`answers at once to ${JSON.stringify(data)}`, () => {
      const { replies, ask } = make();
      assert.equal(ask('$router.contracts', data), undefined);
      assert.deepEqual(replies[0]?.data, { revision: 0, contracts: [] });
    });
  }

  it('waits for a change when the caller knows the latest', () => {
    const { clock, contracts, replies, ask } = make();
    const held = ask('$router.contracts', { since: 0 });
    assert.ok(held !== undefined);
    assert.deepEqual(replies, []);
    contracts.acquire('a', { paths: {} });
    const listing = {
      revision: 1,
      contracts: [{ name: 'a', fragment: { paths: {} }, events: [], available: true }],
    };
    assert.deepEqual(replies, [{ code: '', data: listing, held }]);
    assert.equal(clock.pending, 0);
  });

  it('says that nothing changed in time for the caller', () => {
    const { clock, replies, ask } = make();
    ask('$router.contracts', { since: 0 }, 5000);
    ask('$router.contracts', { since: 0 }, 3_600_000);
    clock.advance(4499);
    assert.equal(replies.length, 0);
    clock.advance(1);
    assert.equal(replies.length, 1);
    clock.advance(20_000);
    assert.equal(replies.length, 2, 'nobody is kept for an hour');
    assert.equal(clock.pending, 0);
  });

  it('answers at once when there is hardly any time', () => {
    const { replies, ask } = make();
    ask('$router.contracts', { since: 0 }, 400);
    assert.equal(replies.length, 1);
  });

  it('forgets a caller that does not wait any more', () => {
    const { clock, contracts, replies, ask } = make();
    ask('$router.contracts', { since: 0 })?.cancel();
    contracts.acquire('a', {});
    assert.deepEqual([replies, clock.pending], [[], 0]);
  });

  it('holds a thousand callers at most', () => {
    const { builtins, clock, replies, ask } = make();
    for (let n = 0; n < 1001; n += 1) ask('$router.contracts', { since: 0 });
    assert.deepEqual(
      replies.map(({ code }) => code),
      ['BUSY'],
    );
    builtins.close();
    assert.deepEqual([replies.length, clock.pending], [1001, 0]);
    ask('$router.contracts', { since: 0 });
    assert.equal(replies.length, 1002, 'nobody is held once the router closes');
  });
});
