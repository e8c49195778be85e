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
  const request = (eventName: string, data: unknown = null, timeLeft = 5000): DeferredReply | undefined => {
    const body = Buffer.from(typeof data === 'string' ? data : JSON.stringify(data));
    return builtins.handle(makeRequest({ eventName, body, timeLeft }), (reply: ReplyMessage, held) => {
      replies.push({ code: reply.code, data: JSON.parse(String(reply.body)), held });
    });
  };
  return { clock, contracts, builtins, replies, request };
}

describe('built-in events', () => {
  it('$router.ping: returns the identity of the router', () => {
    const { replies, request } = make();
    assert.equal(request('$router.ping', '{"broken'), undefined);
    assert.deepEqual(replies, [{ code: '', data: { router: 'me' }, held: undefined }]);
  });

  it('built-in events: an unknown name fails with NO_WORKER', () => {
    const { replies, request } = make();
    request('$router.other');
    assert.equal(replies[0]?.code, 'NO_WORKER');
  });
});

describe('$router.contracts', () => {
  for (const data of [null, { since: 7 }, { since: '0' }, '{"broken', [0]]) {
    it(`$router.contracts: replies at once to ${JSON.stringify(data)}`, () => {
      const { replies, request } = make();
      assert.equal(request('$router.contracts', data), undefined);
      assert.deepEqual(replies[0]?.data, { revision: 0, contracts: [] });
    });
  }

  it('$router.contracts: waits for a change if the caller has the latest revision', () => {
    const { clock, contracts, replies, request } = make();
    const held = request('$router.contracts', { since: 0 });
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

  it('$router.contracts: replies before the deadline of the caller if nothing changed', () => {
    const { clock, replies, request } = make();
    request('$router.contracts', { since: 0 }, 5000);
    request('$router.contracts', { since: 0 }, 3_600_000);
    clock.advance(4499);
    assert.equal(replies.length, 0);
    clock.advance(1);
    assert.equal(replies.length, 1);
    clock.advance(20_000);
    assert.equal(replies.length, 2, 'no caller waits for an hour');
    assert.equal(clock.pending, 0);
  });

  it('$router.contracts: replies at once if little time is left', () => {
    const { replies, request } = make();
    request('$router.contracts', { since: 0 }, 400);
    assert.equal(replies.length, 1);
  });

  it('$router.contracts: forgets a caller that cancelled', () => {
    const { clock, contracts, replies, request } = make();
    request('$router.contracts', { since: 0 })?.cancel();
    contracts.acquire('a', {});
    assert.deepEqual([replies, clock.pending], [[], 0]);
  });

  it('$router.contracts: at most 1,000 callers wait', () => {
    const { builtins, clock, replies, request } = make();
    for (let n = 0; n < 1001; n += 1) request('$router.contracts', { since: 0 });
    assert.deepEqual(
      replies.map(({ code }) => code),
      ['BUSY'],
    );
    builtins.close();
    assert.deepEqual([replies.length, clock.pending], [1001, 0]);
    request('$router.contracts', { since: 0 });
    assert.equal(replies.length, 1002, 'no caller waits once the router closes');
  });
});
