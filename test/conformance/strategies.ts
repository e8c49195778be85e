/**
 * Requirements of every routing strategy, built in or written by a user. To test your own:
 *
 * strategyConformance('mine', () => new MyStrategy());
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_BYTES, type ReplyMessage, type RequestMessage } from '../../src/core/messages/message.ts';
import { Broker } from '../../src/router/broker/broker.ts';
import type { RouterRequest } from '../../src/router/broker/request.ts';
import type { Worker, WorkerPort } from '../../src/router/broker/worker.ts';
import type { ZeroMQRoutingStrategy } from '../../src/router/strategies/strategy.ts';
import fc, { runs } from '../helpers/property.ts';

/** Requirements that do not apply to a strategy. */
export interface ConformanceOptions {
  /** Whether it keeps requests with the same key together instead of spreading equal requests. */
  readonly sticky?: boolean;
}

class Port implements WorkerPort {
  readonly held: RouterRequest[] = [];
  total = 0;
  worker: Worker;

  constructor(
    readonly fleet: Cluster,
    id: string,
    readonly concurrency: number,
  ) {
    this.worker = fleet.core.addWorker(this, { id, events: ['e'], concurrency }, fleet.now);
    fleet.ports.push(this);
  }

  dispatch(pending: RouterRequest): boolean {
    this.held.push(pending);
    this.total++;
    assert.ok(this.held.length <= this.concurrency, 'a worker was sent more than its credit');
    return true;
  }

  cancel(): void {
    assert.fail('no request is cancelled in this test');
  }

  reply(code = ''): void {
    const pending = this.held.shift();
    if (pending === undefined) return;
    this.fleet.core.reply(this.worker, pending.id, pending.generation, { ...OK, code }, this.fleet.now);
  }

  leave(): void {
    this.fleet.ports.splice(this.fleet.ports.indexOf(this), 1);
    this.fleet.core.removeWorker(this.worker, this.fleet.now);
  }
}

const OK: ReplyMessage = {
  status: 200,
  code: '',
  dispatched: true,
  more: false,
  contentType: '',
  extras: NO_BYTES,
  body: NO_BYTES,
};

/** Workers behind a broker with the strategy. */
class Cluster {
  now = 0;
  replies = 0;
  readonly ports: Port[] = [];
  readonly core: Broker;

  constructor(strategy: ZeroMQRoutingStrategy) {
    this.core = new Broker({ strategy, breaker: false, queueLimit: 100_000, defaultTimeout: 1e6 });
  }

  submit(key?: string): RouterRequest {
    const extras = key === undefined ? NO_BYTES : Buffer.from(JSON.stringify({ key }));
    const message: RequestMessage = {
      eventName: 'e',
      body: NO_BYTES,
      timeLeft: 0,
      idempotent: true,
      requestId: '',
      extras,
    };
    return this.core.submit(message, this, this.now);
  }

  settle(): void {
    this.replies++;
  }

  /** Asserts that the broker could use each choice of the strategy. */
  assertFaultless(): void {
    assert.equal(this.core.stats().strategyFaults, 0, 'the strategy returned a non-candidate, or threw');
  }
}

/** Runs the suite for a strategy. `create` returns a new one. */
export function strategyConformance(
  name: string,
  create: () => ZeroMQRoutingStrategy,
  options: ConformanceOptions = {},
): void {
  describe(`routing strategy ${name}`, () => {
    it(`${name}: has a name`, () => {
      assert.ok(create().name.length > 0);
    });

    it(`${name}: sends every request to the only worker`, () => {
      const fleet = new Cluster(create());
      const port = new Port(fleet, 'alone', 3);
      for (let index = 0; index < 10; index++) fleet.submit();
      while (port.held.length > 0) port.reply();
      assert.equal(fleet.replies, 10);
      fleet.assertFaultless();
    });

    it(`${name}: spreads requests over all workers in the long run`, () => {
      const fleet = new Cluster(create());
      for (let index = 0; index < 20; index++) new Port(fleet, `worker-${index}`, 8);
      const open: RouterRequest[] = [];
      for (let index = 0; index < 20_000; index++) {
        fleet.now += 0.1;
        open.push(fleet.submit(`key-${index}`));
        const oldest = open.length > 40 ? open.shift() : undefined;
        const port = fleet.ports.find(({ held }) => oldest !== undefined && held[0] === oldest);
        port?.reply();
        if (port === undefined && oldest !== undefined) {
          for (const other of fleet.ports) if (other.held.includes(oldest)) other.reply();
        }
      }
      for (const { total, worker } of fleet.ports) {
        assert.ok(total > 300, `${worker.id} got ${total} of 20,000 requests`);
      }
      fleet.assertFaultless();
    });

    if (options.sticky !== true) {
      it(`${name}: lets no idle worker starve at low load`, () => {
        const fleet = new Cluster(create());
        for (let index = 0; index < 100; index++) new Port(fleet, `worker-${index}`, 4);
        for (let index = 0; index < 20_000; index++) {
          fleet.now += 1;
          fleet.submit();
          for (const port of fleet.ports) port.reply();
        }
        for (const { total, worker } of fleet.ports) assert.ok(total > 20, `${worker.id} got ${total}`);
      });
    }

    it(`${name}: reaches the sum of the throughput of fast and slow workers`, () => {
      const fleet = new Cluster(create());
      const fast = [1, 2].map((index) => new Port(fleet, `fast-${index}`, 4));
      const slow = [1, 2].map((index) => new Port(fleet, `slow-${index}`, 4));
      const rounds = 2000;
      const offered = rounds * 2 + rounds / 5;
      for (let round = 0; round < rounds; round++) {
        fleet.now += 1;
        while (fleet.core.stats().queued < 10) fleet.submit(`key-${round}-${fleet.replies}`);
        for (const port of fast) port.reply();
        if (round % 10 === 0) for (const port of slow) port.reply();
      }
      assert.ok(fleet.replies >= offered * 0.99, `${fleet.replies} of ${offered} possible replies`);
      fleet.assertFaultless();
    });

    it(`${name}: handles workers that join, fail and leave, and never exceeds their credit`, () => {
      const step = fc.oneof(
        { weight: 10, arbitrary: fc.record({ kind: fc.constant('submit' as const), value: fc.nat(20) }) },
        { weight: 8, arbitrary: fc.record({ kind: fc.constant('reply' as const), value: fc.nat(20) }) },
        { weight: 2, arbitrary: fc.record({ kind: fc.constant('fail' as const), value: fc.nat(20) }) },
        { weight: 2, arbitrary: fc.record({ kind: fc.constant('join' as const), value: fc.nat(5) }) },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), value: fc.nat(20) }) },
      );
      fc.assert(
        fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
          const fleet = new Cluster(create());
          let joined = 0;
          for (const { kind, value } of steps) {
            fleet.now += value / 7;
            const port = fleet.ports[value % Math.max(1, fleet.ports.length)];
            if (kind === 'submit') fleet.submit(`key-${value}`);
            else if (kind === 'join') new Port(fleet, `worker-${++joined}`, 1 + value);
            else if (kind === 'reply') port?.reply();
            else if (kind === 'fail') port?.reply('HANDLER_ERROR');
            else port?.leave();
          }
          fleet.assertFaultless();
        }),
        { numRuns: runs(50) },
      );
    });

    it(`${name}: selects a worker in a time that grows no faster than the number of workers`, () => {
      const cost = (workers: number): number => {
        const fleet = new Cluster(create());
        for (let index = 0; index < workers; index++) new Port(fleet, `worker-${index}`, 64);
        const candidates = fleet.ports.map(({ worker }) => worker);
        const request = { eventName: 'e', requestId: '', idempotent: true, extras: NO_BYTES };
        let reads = 0;
        const counted = candidates.map(
          (worker) =>
            new Proxy(worker, { get: (target, key) => (reads++, Reflect.get(target, key) as unknown) }),
        );
        const strategy = create();
        for (let index = 0; index < 100; index++) strategy.pick(counted, request, index);
        return reads / 100;
      };
      const few = cost(10);
      const many = cost(1000);
      assert.ok(many <= Math.max(few * 150, 20), `${few} reads of workers among 10, ${many} among 1,000`);
    });
  });
}
