import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../../../../src/core/logging/logging.ts';
import type { ReplyMessage, Requester, Settle } from '../../../../src/core/messages/message.ts';
import { ApiRegistry, LiveContracts } from '../../../../src/gateway/index.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { replyOf } from '../../../helpers/gateway/requester.ts';

/** A router that answers when it is told to. */
class FakeRouter implements Requester {
  readonly reachable = true;
  private readonly waiting: Settle[] = [];

  request(_request: unknown, settle: Settle) {
    this.waiting.push(settle);
    return { cancel: () => undefined };
  }

  /** Answers the oldest poll. */
  answer(contracts: readonly object[], revision = 1): void {
    const reply: ReplyMessage = replyOf({ revision, contracts });
    this.waiting.shift()?.(reply);
  }
}

function make() {
  const clock = new FakeClock();
  const registry = new ApiRegistry();
  const live = new LiveContracts(registry, silentLogger, clock);
  return { clock, registry, live, a: new FakeRouter(), b: new FakeRouter() };
}

describe('live contracts are complete', () => {
  it('when every router that is watched has answered once, and stay so', () => {
    const { live, a, b } = make();
    assert.equal(live.complete, false, 'no router is known yet');
    live.watch(a, 'a');
    live.watch(b, 'b');
    a.answer([]);
    assert.equal(live.complete, false);
    b.answer([]);
    assert.equal(live.complete, true);
    live.watch(new FakeRouter(), 'c');
    assert.equal(live.complete, true);
    live.close();
  });

  it('when a router that did not answer is not watched any longer', () => {
    const { live, a, b } = make();
    live.watch(a, 'a');
    live.watch(b, 'b');
    a.answer([]);
    live.forget('b');
    assert.equal(live.complete, true);
    live.close();
  });

  it('after ten seconds, whether routers answer or not', () => {
    const { live, clock, a } = make();
    live.watch(a, 'a');
    clock.advance(9999);
    assert.equal(live.complete, false);
    clock.advance(1);
    assert.equal(live.complete, true);
    live.close();
  });
});

/** A contract as a router lists it; the event is served under each of the paths. */
function listed(paths: readonly string[], available = true, event = 'a.get') {
  const operation = { 'x-event-name': event, responses: {} };
  const fragment = { paths: Object.fromEntries(paths.map((path) => [path, { get: operation }])) };
  return { name: 'a', fragment, events: [event], available };
}

const pathsOf = (registry: ApiRegistry): string[] => registry.snapshot().operations.map(({ path }) => path);

describe('live contracts of several routers', () => {
  it('are served in the latest version that any of them has, whichever answers last', () => {
    const { registry, live, a, b } = make();
    live.watch(a, 'a');
    live.watch(b, 'b');
    a.answer([listed(['/one'])]);
    b.answer([listed(['/one', '/two'])]);
    assert.deepEqual(pathsOf(registry), ['/one', '/two']);
    a.answer([listed(['/one'])], 2);
    assert.deepEqual(pathsOf(registry), ['/one', '/two']);
    // The later version is gone from the router that had it: the earlier one is served again.
    b.answer([listed(['/one'])], 2);
    assert.deepEqual(pathsOf(registry), ['/one']);
    live.close();
  });

  it('are not replaced by a version that does not fit while workers serve the one that was there first', () => {
    const { registry, live, a, b } = make();
    live.watch(a, 'a');
    live.watch(b, 'b');
    a.answer([listed(['/one'])]);
    b.answer([listed(['/other'])]);
    assert.deepEqual(pathsOf(registry), ['/one']);
    a.answer([listed(['/one'], false)], 2);
    assert.deepEqual(pathsOf(registry), ['/other']);
    live.close();
  });
});
