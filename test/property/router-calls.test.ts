/**
 * Handlers that call each other, in random trees on random workers of random concurrency: every
 * request completes, whatever order the handlers run in, and no worker holds more than it may.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ReplyMessage } from '../../src/core/messages/message.ts';
import { Broker } from '../../src/router/broker/broker.ts';
import type { Origin, RouterRequest } from '../../src/router/broker/request.ts';
import type { Worker, WorkerPort } from '../../src/router/broker/worker.ts';
import fc, { runs } from '../helpers/property.ts';
import { makeReply, makeRequest } from '../unit/wire/messages.ts';

const RUNS = runs(300);
const NOW = 1000;

/** What a handler does: it calls these events one after the other, or all at a time, and returns. */
interface Plan {
  readonly event: string;
  readonly calls: readonly Plan[];
  readonly parallel: boolean;
}

/** A handler in progress. */
interface Running {
  readonly plan: Plan;
  readonly request: RouterRequest;
  readonly id: number;
  readonly generation: number;
  /** Number of calls that it has sent, and of those in flight. */
  sent: number;
  waiting: number;
}

class SimulatedWorker implements WorkerPort {
  readonly running: Running[] = [];
  readonly worker: Worker;

  constructor(
    private readonly simulation: Simulation,
    id: string,
    events: readonly string[],
    readonly concurrency: number,
  ) {
    this.worker = simulation.broker.addWorker(this, { id, events, concurrency, cancels: true }, NOW);
  }

  dispatch(request: RouterRequest): boolean {
    const plan = this.simulation.planOf(request);
    const { id, generation } = request;
    this.running.push({ plan, request, id, generation, sent: 0, waiting: 0 });
    this.checkBounds();
    return true;
  }

  cancel(): void {
    assert.fail('nothing is cancelled');
  }

  /** Handlers that can take a step. */
  get ready(): Running[] {
    return this.running.filter(({ plan, sent, waiting }) =>
      plan.parallel && sent < plan.calls.length ? true : waiting === 0,
    );
  }

  /** Lets a handler send its next call, or return. */
  step(handler: Running): void {
    const { simulation, worker } = this;
    const next = handler.plan.calls[handler.sent];
    if (next !== undefined) {
      handler.sent += 1;
      handler.waiting += 1;
      simulation.call(worker, handler, next);
      return;
    }
    this.running.splice(this.running.indexOf(handler), 1);
    const drop = simulation.broker.reply(worker, handler.id, handler.generation, makeReply(), NOW);
    assert.equal(drop, undefined);
  }

  private checkBounds(): void {
    const { concurrency, running } = this;
    for (let depth = 0; depth <= 16; depth += 1) {
      const held = running.filter(({ request }) => (request.origin.depth ?? 0) === depth).length;
      assert.ok(held <= concurrency, `${held} requests of depth ${depth} at concurrency ${concurrency}`);
    }
  }
}

class Simulation {
  readonly broker = new Broker({ startupGrace: 0, breaker: false, queueLimit: 1e6 }, NOW);
  readonly workers: SimulatedWorker[] = [];
  readonly codes: string[] = [];
  private readonly plans = new Map<RouterRequest, Plan>();
  private submitting: Plan | undefined;

  planOf(request: RouterRequest): Plan {
    const plan = this.plans.get(request) ?? this.submitting;
    assert.ok(plan);
    this.plans.set(request, plan);
    return plan;
  }

  submit(plan: Plan): void {
    const origin: Origin = { settle: (_request, { code }: ReplyMessage) => this.codes.push(code) };
    this.send(plan, () => this.broker.submit(messageOf(plan), origin, NOW));
  }

  call(worker: Worker, handler: Running, plan: Plan): void {
    const { request: parent } = handler;
    const depth = (parent.origin.depth ?? 0) + 1;
    const origin: Origin = {
      client: clientOf(worker, depth),
      depth,
      parent,
      settle: (_request, { code }) => {
        assert.equal(code, '');
        handler.waiting -= 1;
        this.broker.callEnded(worker, parent);
      },
    };
    this.send(plan, () => this.broker.submitCall(worker, origin, messageOf(plan), NOW));
  }

  /** Runs handlers in an order that `pick` chooses, until none can take a step. */
  run(pick: (choices: number) => number): void {
    for (;;) {
      const choices = this.workers.flatMap((worker) =>
        worker.ready.map((handler) => [worker, handler] as const),
      );
      const chosen = choices[pick(choices.length)];
      if (chosen === undefined) return;
      chosen[0].step(chosen[1]);
    }
  }

  private send(plan: Plan, submit: () => RouterRequest): void {
    const before = this.submitting;
    this.submitting = plan;
    const request = submit();
    this.submitting = before;
    this.plans.set(request, plan);
  }
}

const clients = new WeakMap<Worker, object[]>();

function clientOf(worker: Worker, depth: number): object {
  const known = clients.get(worker) ?? [];
  clients.set(worker, known);
  return (known[depth] ??= {});
}

function messageOf({ event }: Plan) {
  return makeRequest({ eventName: event, timeLeft: 3_600_000 });
}

const EVENTS = ['a', 'b', 'c'];

const plan: fc.Memo<Plan> = fc.memo((levels) =>
  fc.record({
    event: fc.constantFrom(...EVENTS),
    calls: levels <= 1 ? fc.constant([]) : fc.array(plan(levels - 1), { maxLength: 3 }),
    parallel: fc.boolean(),
  }),
);

const worker = fc.record({
  events: fc.subarray(EVENTS, { minLength: 1 }),
  concurrency: fc.integer({ min: 1, max: 3 }),
});

describe('calls between handlers', () => {
  it('broker: every tree of calls completes, and workers stay within their bounds', () => {
    let lentMost = 0;
    fc.assert(
      fc.property(
        fc.array(worker, { minLength: 1, maxLength: 4 }),
        fc.array(plan(5), { minLength: 1, maxLength: 12 }),
        fc.infiniteStream(fc.nat()),
        (workers, plans, numbers) => {
          const simulation = new Simulation();
          // Each event has a worker.
          const all = [...workers, { events: EVENTS, concurrency: 1 }];
          all.forEach(({ events, concurrency }, index) =>
            simulation.workers.push(new SimulatedWorker(simulation, `w${index}`, events, concurrency)),
          );
          for (const one of plans) simulation.submit(one);
          simulation.run((choices) => {
            for (const {
              worker: { lending },
            } of simulation.workers)
              lentMost = Math.max(lentMost, lending?.lent ?? 0);
            return Number(numbers.next().value) % Math.max(1, choices);
          });
          assert.deepEqual(
            simulation.codes,
            plans.map(() => ''),
            'all requests succeed',
          );
          const { queued, dispatched, abandoned, ok, submitted } = simulation.broker.stats();
          assert.deepEqual([queued, dispatched, abandoned, submitted - ok], [0, 0, 0, 0]);
          for (const {
            worker: { lending },
          } of simulation.workers)
            assert.equal(lending?.lent ?? 0, 0);
        },
      ),
      { numRuns: RUNS },
    );
    assert.ok(lentMost > 1, 'the property lends slots');
  });
});
