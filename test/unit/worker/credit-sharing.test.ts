/** How a worker shares its concurrency between routers, with fake routers and delayed messages. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CreditSharing, type Share } from '../../../src/worker/credit-sharing.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import fc, { runs } from '../../helpers/property.ts';

/** A router: it dispatches queued requests within its credit, and asks for more credit if it needs it. */
class FakeRouter {
  queued = 0;
  credit = 0;
  /** Requests that were dispatched and not answered. */
  dispatched = 0;
  asked = false;
  /** Requests whose handlers wait on calls. */
  suspended = 0;
  done = 0;
  share: Share;
  /** Messages in transit, in order. */
  private readonly toRouter: (() => void)[] = [];
  private readonly toWorker: (() => void)[] = [];

  constructor(private readonly shares: CreditSharing) {
    this.share = shares.open((concurrency) => this.toRouter.push(() => this.credited(concurrency)));
    const { granted } = this.share;
    this.toRouter.push(() => this.credited(granted));
  }

  submit(count: number): void {
    this.queued += count;
    this.dispatch();
  }

  /** Lets the worker answer up to `count` requests of this router. */
  answer(count: number): void {
    for (let n = Math.min(count, this.share.inFlight); n > 0; n -= 1) {
      this.shares.requestEnded(this.share);
      this.toRouter.push(() => {
        this.dispatched -= 1;
        this.done += 1;
        this.dispatch();
      });
    }
  }

  /** Up to `count` running handlers send a call: their requests use no credit until it ends. */
  suspend(count: number): void {
    for (let n = Math.min(count, this.share.inFlight); n > 0; n -= 1) {
      this.suspended += 1;
      this.shares.requestSuspended(this.share);
    }
  }

  /** The calls of up to `count` handlers end. */
  resume(count: number): void {
    for (let n = Math.min(count, this.suspended); n > 0; n -= 1) {
      this.suspended -= 1;
      this.shares.requestResumed(this.share);
    }
  }

  /** Delivers up to `count` messages in each direction. */
  deliver(count: number): void {
    for (const direction of [this.toRouter, this.toWorker]) {
      for (let n = Math.min(count, direction.length); n > 0; n -= 1) direction.shift()?.();
    }
  }

  private credited(concurrency: number): void {
    this.credit = concurrency;
    this.asked = false;
    this.dispatch();
    this.toWorker.push(() => {
      if (this.share.granted === concurrency) this.shares.confirmed(this.share);
    });
  }

  private dispatch(): void {
    while (this.queued > 0 && this.dispatched < this.credit) {
      this.queued -= 1;
      this.dispatched += 1;
      this.toWorker.push(() => this.shares.requestStarted(this.share));
    }
    if (this.queued === 0 && this.dispatched < this.credit) this.asked = false;
    if (this.queued === 0 || this.asked) return;
    this.asked = true;
    this.toWorker.push(() => this.shares.moreWanted(this.share));
  }
}

function make(total: number, routers: number) {
  const clock = new FakeClock();
  const shares = new CreditSharing(total, routers > 1, clock);
  shares.routers = routers;
  const all = Array.from({ length: routers }, () => new FakeRouter(shares));
  const inFlight = (): number => all.reduce((sum, { share }) => sum + share.inFlight, 0);
  /** Delivers all messages and lets the worker answer its requests, in rounds of 5 ms. */
  const run = (rounds: number, answers = Infinity): void => {
    for (let round = 0; round < rounds; round += 1) {
      for (const router of all) router.deliver(Infinity);
      assert.ok(inFlight() <= total, `${inFlight()} of ${total} at once`);
      for (const router of all) router.answer(answers);
      clock.advance(5);
    }
  };
  return { clock, shares, all, inFlight, run };
}

describe('CreditSharing with one router', () => {
  it('CreditSharing: grants a single router all of the concurrency, and announces it once', () => {
    const { shares, all, clock } = make(7, 1);
    assert.equal(all[0]?.share.granted, 7);
    shares.moreWanted(all[0]?.share ?? assert.fail());
    assert.deepEqual([all[0]?.share.granted, clock.pending], [7, 0]);
  });
});

describe('CreditSharing with several routers', () => {
  it('CreditSharing: starts with equal shares', () => {
    const { all } = make(64, 3);
    assert.deepEqual(
      all.map(({ share }) => share.granted),
      [22, 22, 20],
    );
  });

  it('CreditSharing: lends a busy router the unused share of the others, and returns it when they need it', () => {
    const { all, run } = make(64, 3);
    const [busy, idle] = all;
    assert.ok(busy && idle);
    run(2);
    busy.submit(100_000);
    run(100);
    assert.ok(busy.credit >= 60, `the busy router has ${busy.credit}`);
    assert.ok(idle.credit >= 1, 'the idle router can dispatch at once');
    idle.submit(100_000);
    run(200);
    assert.ok(Math.abs(busy.credit - idle.credit) <= 2, `${busy.credit} and ${idle.credit}`);
  });

  it('CreditSharing: starves no router if there are more routers than concurrent requests', () => {
    const { all, run } = make(1, 3);
    for (const router of all) router.submit(100);
    run(3000);
    assert.deepEqual(
      all.map(({ done }) => done),
      [100, 100, 100],
    );
  });

  it('CreditSharing: gives the share of a lost router to the others once its requests have ended', () => {
    const { all, shares, run, inFlight } = make(10, 2);
    const [lost, other] = all;
    assert.ok(lost && other);
    for (const router of all) router.submit(1000);
    run(20, 0);
    assert.equal(inFlight(), 10);
    shares.close(lost.share);
    other.answer(Infinity);
    other.deliver(Infinity);
    assert.ok(inFlight() <= 10);
    lost.answer(Infinity);
    for (let n = 0; n < 10; n += 1) other.deliver(Infinity);
    assert.equal(other.credit, 10);
  });

  it('CreditSharing: does not wait for a router that does not return credit', () => {
    const { all, clock } = make(30, 3);
    const [stalled, spare, busy] = all;
    assert.ok(stalled && spare && busy);
    for (const router of all) router.deliver(Infinity);
    for (const router of all) router.deliver(Infinity);
    busy.submit(1000);
    for (let round = 0; round < 200; round += 1) {
      for (const router of [spare, busy]) router.deliver(Infinity);
      clock.advance(5);
    }
    assert.ok(busy.credit >= 18, `the busy router has ${busy.credit} of 20`);
  });

  it('CreditSharing: another router gets the credit of handlers that wait on calls', () => {
    const { all, run } = make(1, 2);
    const [first, second] = all;
    assert.ok(first && second);
    first.submit(1);
    run(3, 0);
    assert.equal(first.share.inFlight, 1);
    first.suspend(1);
    second.submit(1);
    run(20, 0);
    assert.equal(second.share.inFlight, 1, 'the call runs');
    second.answer(1);
    first.resume(1);
    first.answer(1);
    run(20);
    assert.deepEqual([first.done, second.done], [1, 1]);
  });

  it('CreditSharing: a request of a lost connection that waits on a call is counted until it ends', () => {
    const { all, shares, run, inFlight } = make(2, 2);
    const [lost, other] = all;
    assert.ok(lost && other);
    lost.submit(1);
    run(3, 0);
    lost.suspend(1);
    shares.close(lost.share);
    lost.resume(1);
    other.submit(10);
    for (let n = 0; n < 10; n += 1) other.deliver(Infinity);
    assert.equal(inFlight(), 2, 'one of each');
    lost.answer(1);
    for (let n = 0; n < 10; n += 1) other.deliver(Infinity);
    assert.equal(other.credit, 2);
  });

  it('CreditSharing: never exceeds the concurrency and loses no request in any order of messages', () => {
    const step = fc.record({
      router: fc.nat(3),
      what: fc.constantFrom('submit', 'answer', 'deliver', 'wait', 'suspend', 'resume'),
      count: fc.integer({ min: 1, max: 30 }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 2, max: 4 }),
        fc.array(step, { maxLength: 200 }),
        (total, routers, steps) => {
          const { all, inFlight, run, clock } = make(total, routers);
          let submitted = 0;
          let suspended = false;
          for (const { router, what, count } of steps) {
            const one = all[router % routers] ?? assert.fail();
            if (what === 'wait') clock.advance(count);
            else one[what](count);
            if (what === 'submit') submitted += count;
            if (what === 'suspend') suspended = true;
            // Handlers that continue after a call may exceed the concurrency for a while.
            assert.ok(suspended || inFlight() <= total, `${inFlight()} of ${total} at once`);
          }
          for (const one of all) one.resume(Infinity);
          for (const one of all) one.answer(Infinity);
          while (inFlight() > total) for (const one of all) one.answer(Infinity);
          run(4000 / total + 1000);
          assert.equal(
            all.reduce((sum, { done }) => sum + done, 0),
            submitted,
          );
        },
      ),
      { numRuns: runs(100) },
    );
  });
});
