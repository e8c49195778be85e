import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../../../../src/core/logging/logging.ts';
import type { ReplyMessage, Requester, Settle } from '../../../../src/core/messages/message.ts';
import { WITHOUT_STREAM } from '../../../../src/core/messages/stream.ts';
import { ApiRegistry, LiveContracts } from '../../../../src/gateway/index.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { replyOf } from '../../../helpers/gateway/requester.ts';
import { SteppedSlices } from '../../../helpers/stepped-slices.ts';

/** A router that replies when the test calls `answer`. */
class FakeRouter implements Requester {
  readonly reachable = true;
  private readonly waiting: Settle[] = [];

  request(_request: unknown, settle: Settle) {
    this.waiting.push(settle);
    return { ...WITHOUT_STREAM, cancel: () => undefined };
  }

  /** Replies to the oldest poll. */
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

describe('LiveContracts.complete', () => {
  it('LiveContracts: are complete once every watched router has replied, and stay complete', () => {
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

  it('LiveContracts: are complete when a router without a reply is forgotten', () => {
    const { live, a, b } = make();
    live.watch(a, 'a');
    live.watch(b, 'b');
    a.answer([]);
    live.forget('b');
    assert.equal(live.complete, true);
    live.close();
  });

  it('LiveContracts: are complete after ten seconds without replies', () => {
    const { live, clock, a } = make();
    live.watch(a, 'a');
    clock.advance(9999);
    assert.equal(live.complete, false);
    clock.advance(1);
    assert.equal(live.complete, true);
    live.close();
  });
});

/** A contract as a router lists it, with the event at each of the paths. */
function listed(paths: readonly string[], available = true, event = 'a.get') {
  const operation = { 'x-event-name': event, responses: {} };
  const fragment = { paths: Object.fromEntries(paths.map((path) => [path, { get: operation }])) };
  return { name: 'a', fragment, events: [event], available };
}

const pathsOf = (registry: ApiRegistry): string[] => registry.snapshot().operations.map(({ path }) => path);

describe('live contracts of several routers', () => {
  it('LiveContracts: serve the latest version that any router has, in any order of replies', () => {
    const { registry, live, a, b } = make();
    live.watch(a, 'a');
    live.watch(b, 'b');
    a.answer([listed(['/one'])]);
    b.answer([listed(['/one', '/two'])]);
    assert.deepEqual(pathsOf(registry), ['/one', '/two']);
    a.answer([listed(['/one'])], 2);
    assert.deepEqual(pathsOf(registry), ['/one', '/two']);
    // The router no longer has the later version, so the earlier one is served again.
    b.answer([listed(['/one'])], 2);
    assert.deepEqual(pathsOf(registry), ['/one']);
    live.close();
  });

  it('LiveContracts: keep a served version when another router has an incompatible one', () => {
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

describe('live contracts of many operations', () => {
  const paths = (count: number, prefix = 'p') =>
    Array.from({ length: count }, (_, index) => `/${prefix}${index}`);

  function makeStepped() {
    const slices = new SteppedSlices();
    const registry = new ApiRegistry();
    const live = new LiveContracts(registry, silentLogger, new FakeClock(), slices);
    const [a, b] = [new FakeRouter(), new FakeRouter()];
    live.watch(a, 'a');
    live.watch(b, 'b');
    const served = () => registry.snapshot().operations.filter(({ available }) => available);
    return { slices, registry, live, a, b, served };
  }

  it('LiveContracts: process a large contract in slices and are complete afterwards', async () => {
    const { slices, live, a, b, served } = makeStepped();
    b.answer([]);
    a.answer([listed(paths(50))]);
    assert.equal(served().length, 50, 'a small listing is taken in at once');
    assert.equal(slices.count, 0);
    const other = makeStepped();
    other.b.answer([]);
    other.a.answer([listed(paths(51))]);
    assert.equal(other.served().length, 0);
    assert.equal(other.live.complete, false);
    await other.slices.run();
    assert.ok(other.slices.count > 51, `${other.slices.count} slices`);
    assert.equal(other.served().length, 51);
    assert.equal(other.live.complete, true);
    live.close();
    other.live.close();
  });

  it('LiveContracts: process one listing at a time and skip outdated ones', async () => {
    const { slices, live, a, served } = makeStepped();
    a.answer([listed(paths(51))], 1);
    a.answer([listed(paths(52, 'q'))], 2);
    a.answer([listed(paths(3, 'r'))], 3);
    assert.equal(served().length, 0, 'a small listing waits for the large one before it');
    await slices.run();
    assert.deepEqual(
      served().map(({ path }) => path),
      paths(3, 'r'),
    );
    live.close();
  });

  it('LiveContracts: are not served for a router that was forgotten during processing', async () => {
    const { slices, live, a, b, served } = makeStepped();
    a.answer([listed(paths(51))]);
    live.forget('a');
    b.answer([listed(paths(2, 'b'), true, 'b.get')]);
    await slices.run();
    assert.deepEqual(
      served().map(({ path }) => path),
      paths(2, 'b'),
    );
    assert.deepEqual(live.contractsOf('a'), []);
    live.close();
  });

  it('LiveContracts: stop processing when the gateway closes', async () => {
    const { slices, registry, live, a } = makeStepped();
    a.answer([listed(paths(51))]);
    live.close();
    await slices.run();
    assert.equal(registry.has('a'), false);
    assert.equal(slices.count, 1);
  });
});
