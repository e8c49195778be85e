/**
 * Routers that restart return to the contract that was in force, in whatever order workers connect,
 * say hello and are answered. Sockets are faked. Time passes only when every router has a worker of
 * that contract.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { withHelloMark } from '../../src/core/identity/identity.ts';
import { silentLogger } from '../../src/core/logging/logging.ts';
import { Backend } from '../../src/router/backend/backend.ts';
import { ClassicEvents } from '../../src/router/backend/classic-events.ts';
import { AnnouncedContracts } from '../../src/router/backend/contracts.ts';
import { Broker } from '../../src/router/broker/broker.ts';
import { turnNow } from '../../src/transport/link/turn.ts';
import { controlFrames, isControl } from '../../src/wire/control.ts';
import { HelloAnswer } from '../../src/worker/hello-answer.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';

failOnLeftovers();

const GRACE = 4000;
const EVENT = 'orders.get';

/** Contracts that cannot be served side by side: the routers have no checker that compares them. */
const contractOf = (path: string) => ({
  name: 'orders',
  fragment: { paths: { [path]: { get: { operationId: EVENT } } } },
});

/** A worker, reduced to what contracts need. */
class Worker {
  readonly answers: HelloAnswer[];

  constructor(
    readonly id: string,
    readonly contract: ReturnType<typeof contractOf>,
    routers: number,
  ) {
    this.answers = Array.from({ length: routers }, () => new HelloAnswer());
  }

  hello(router: number): Buffer[] {
    const own = this.answers[router];
    const refused = own?.reportsRefusal(this.answers.filter((other) => other !== own)) || undefined;
    const { contract } = this;
    return controlFrames('$hello', { v: 1, pack: 1, concurrency: 1, events: [EVENT], contract, refused });
  }
}

/** Messages in transit between a worker and a router. */
interface Message {
  readonly worker: Worker;
  readonly deliver: () => void;
}

class Site {
  readonly clock = new FakeClock();
  private backend: Backend | undefined;
  /** In sending order, per worker. */
  messages: Message[] = [];

  constructor(
    private readonly index: number,
    private readonly workers: readonly Worker[],
  ) {}

  get up(): boolean {
    return this.backend !== undefined;
  }

  /** Workers whose contract the router accepted. */
  get accepted(): Worker[] {
    return this.workers.filter(({ answers }) => answers[this.index]?.accepted);
  }

  start(): void {
    const backend = new Backend(
      {
        identity: `router-${this.index}`,
        maxMessageSize: 1_000_000,
        source: { kind: 'router', node: 'router' },
        logger: silentLogger,
        classicConcurrency: 1,
        classicEvents: new ClassicEvents(),
        helloTimeout: 100,
        contracts: new AnnouncedContracts(undefined),
        clock: this.clock,
      },
      new Broker({ startupGrace: GRACE }, turnNow()),
      { workerJoined: ignore, workerLeft: ignore, peerActive: ignore, rearmTimer: ignore },
    );
    const send = ([identity, ...frames]: Buffer[]): void => this.sent(String(identity), frames);
    Object.defineProperty(backend.socket, 'send', { value: send });
    this.backend = backend;
    for (const worker of this.workers) {
      const id = withHelloMark(worker.id);
      this.post(worker, () => {
        backend.peerConnected(id, Buffer.from(id));
        this.post(worker, () => this.sayHello(worker));
      });
    }
  }

  stop(): void {
    const { backend } = this;
    this.backend = undefined;
    backend?.close();
    this.messages = [];
    for (const { answers } of this.workers) answers[this.index]?.disconnected();
  }

  /** Delivers the earliest message of one of the workers. */
  deliver(choice: number): void {
    const worker = this.workers[choice % this.workers.length];
    const place = this.messages.findIndex((message) => message.worker === worker);
    const [message] = this.messages.splice(Math.max(0, place), 1);
    message?.deliver();
  }

  private sayHello(worker: Worker): void {
    this.backend?.message([Buffer.from(withHelloMark(worker.id)), ...worker.hello(this.index)]);
  }

  private sent(identity: string, frames: Buffer[]): void {
    const worker = this.workers.find(({ id }) => withHelloMark(id) === identity);
    if (worker === undefined || !isControl(frames, 0)) return;
    const answer = worker.answers[this.index];
    this.post(worker, () => {
      const name = String(frames[2]);
      if (name === '$welcome') answer?.record('accepted');
      else if (name === '$refused') answer?.record('refused');
      else if (name === '$who') this.post(worker, () => this.sayHello(worker));
    });
  }

  private post(worker: Worker, deliver: () => void): void {
    if (this.up) this.messages.push({ worker, deliver });
  }
}

const ignore = (): void => undefined;

const step = fc.record({
  what: fc.constantFrom('deliver', 'deliver', 'deliver', 'deliver', 'stop', 'start', 'pass'),
  router: fc.nat(1),
  choice: fc.nat(20),
});

describe('contract in force', () => {
  it('contract in force: is the same after routers restarted in any order', async () => {
    let restarts = 0;
    const property = fc.asyncProperty(
      fc.constantFrom(1, 2),
      fc.constantFrom(1, 2, 3),
      fc.constantFrom(1, 2),
      fc.array(step, { minLength: 20, maxLength: 200, size: 'max' }),
      async (routers, inForce, refused, steps) => {
        const make = (count: number, name: string): Worker[] =>
          Array.from(
            { length: count },
            (_, n) => new Worker(`${name}-${n}`, contractOf(`/${name}`), routers),
          );
        const [first, second] = [make(inForce, 'first'), make(refused, 'second')];
        const workers = [...first, ...second];
        const sites = Array.from({ length: routers }, (_, index) => new Site(index, workers));
        const settle = (site: Site): void => {
          while (site.messages.length > 0) site.deliver(0);
        };
        const check = (): void => {
          for (const { accepted } of sites) assert.ok(!accepted.some((worker) => second.includes(worker)));
        };
        // Each worker of the first contract says hello before those of the second.
        for (const site of sites) {
          site.start();
          settle(site);
        }
        for (const { what, router, choice } of steps) {
          const site = sites[router % sites.length];
          assert.ok(site);
          if (what === 'deliver') site.deliver(choice);
          else if (what === 'stop' && site.up) site.stop();
          else if (what === 'start' && !site.up) {
            restarts += 1;
            site.start();
          } else if (what === 'pass' && site.accepted.length > 0) site.clock.advance(GRACE / 2);
          check();
        }
        for (const site of sites) {
          if (!site.up) site.start();
          settle(site);
          site.clock.advance(GRACE);
          settle(site);
          check();
          assert.deepEqual(site.accepted, first);
          site.stop();
        }
        await turn();
      },
    );
    await fc.assert(property, { numRuns: 300 });
    assert.ok(restarts > 300, `${restarts} restarts`);
  });
});
