/** How a worker shares its concurrency between routers: routers that are none, and messages that take their time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CreditSharing, type Share } from '../../../src/worker/credit-sharing.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

/** A router: it dispatches what waits as far as its credit goes, and asks for more when that does not do. */
class FakeRouter {
  queued = 0;
  credit = 0;
  /** Requests it gave and has no reply to. */
  out = 0;
  asked = false;
  done = 0;
  share: Share;
  /** On their way, in order. */
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

  /** The worker answers up to so many of what it holds. */
  answer(count: number): void {
    for (let n = Math.min(count, this.share.inFlight); n > 0; n -= 1) {
      this.shares.requestEnded(this.share);
      this.toRouter.push(() => {
        this.out -= 1;
        this.done += 1;
        this.dispatch();
      });
    }
  }

  /** Delivers up to so many messages in each direction. */
  deliver(count: number): void {
    for (const way of [this.toRouter, this.toWorker]) {
      for (let n = Math.min(count, way.length); n > 0; n -= 1) way.shift()?.();
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
    while (this.queued > 0 && this.out < this.credit) {
      this.queued -= 1;
      this.out += 1;
      this.toWorker.push(() => this.shares.requestStarted(this.share));
    }
    if (this.queued === 0 && this.out < this.credit) this.asked = false;
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
  const held = (): number => all.reduce((sum, { share }) => sum + share.inFlight, 0);
  /** Messages get through, and the worker answers what it holds, for so many rounds of 5 ms. */
  const run = (rounds: number, answers = Infinity): void => {
    for (let round = 0; round < rounds; round += 1) {
      for (const router of all) router.deliver(Infinity);
      assert.ok(held() <= total, `${held()} of ${total} at once`);
      for (const router of all) router.answer(answers);
      clock.advance(5);
    }
  };
  return { clock, shares, all, held, run };
}

describe('a worker of one router', () => {
  it('gives it everything, and says so once', () => {
    const { shares, all, clock } = make(7, 1);
    assert.equal(all[0]?.share.granted, 7);
    shares.moreWanted(all[0]?.share ?? assert.fail());
    assert.deepEqual([all[0]?.share.granted, clock.pending], [7, 0]);
  });
});

describe('a worker of several routers', () => {
  it('begins with equal parts', () => {
    const { all } = make(64, 3);
    assert.deepEqual(
      all.map(({ share }) => share.granted),
      [22, 22, 20],
    );
  });

  it('lets a busy one use nearly all while the others are idle, and gives back when they are not', () => {
    const { all, run } = make(64, 3);
    const [busy, idle] = all;
    assert.ok(busy && idle);
    run(2);
    busy.submit(100_000);
    run(100);
    assert.ok(busy.credit >= 60, `the busy one has ${busy.credit}`);
    assert.ok(idle.credit >= 1, 'the idle one can begin at once');
    idle.submit(100_000);
    run(200);
    assert.ok(Math.abs(busy.credit - idle.credit) <= 2, `${busy.credit} and ${idle.credit}`);
  });

  it('of more routers than it takes requests lets none starve', () => {
    const { all, run } = make(1, 3);
    for (const router of all) router.submit(100);
    run(3000);
    assert.deepEqual(
      all.map(({ done }) => done),
      [100, 100, 100],
    );
  });

  it('gives what a lost router had to the others, once what it left behind has ended', () => {
    const { all, shares, run, held } = make(10, 2);
    const [lost, left] = all;
    assert.ok(lost && left);
    for (const router of all) router.submit(1000);
    run(20, 0);
    assert.equal(held(), 10);
    shares.close(lost.share);
    left.answer(Infinity);
    left.deliver(Infinity);
    assert.ok(held() <= 10);
    lost.answer(Infinity);
    for (let n = 0; n < 10; n += 1) left.deliver(Infinity);
    assert.equal(left.credit, 10);
  });

  it('waits for no router that does not give back', () => {
    const { all, clock } = make(30, 3);
    const [frozen, spare, busy] = all;
    assert.ok(frozen && spare && busy);
    for (const router of all) router.deliver(Infinity);
    for (const router of all) router.deliver(Infinity);
    busy.submit(1000);
    for (let round = 0; round < 200; round += 1) {
      for (const router of [spare, busy]) router.deliver(Infinity);
      clock.advance(5);
    }
    assert.ok(busy.credit >= 18, `the busy one has ${busy.credit} of 20`);
  });

  it('never holds more than it takes, and loses no request, whatever comes when', () => {
    const step = fc.record({
      router: fc.nat(3),
      what: fc.constantFrom('submit', 'answer', 'deliver', 'wait'),
      count: fc.integer({ min: 1, max: 30 }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 2, max: 4 }),
        fc.array(step, { maxLength: 200 }),
        (total, routers, steps) => {
          const { all, held, run, clock } = make(total, routers);
          let submitted = 0;
          for (const { router, what, count } of steps) {
            const one = all[router % routers] ?? assert.fail();
            if (what === 'wait') clock.advance(count);
            else one[what](count);
            if (what === 'submit') submitted += count;
            assert.ok(held() <= total, `${held()} of ${total} at once`);
          }
          run(4000 / total + 1000);
          assert.equal(
            all.reduce((sum, { done }) => sum + done, 0),
            submitted,
          );
        },
      ),
      { numRuns: 100 },
    );
  });
});
