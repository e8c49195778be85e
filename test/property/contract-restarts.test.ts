/**
 * Routers that restart return to the contract that was in force, in whatever order workers connect,
 * send hellos and receive replies. Sockets are faked. Time passes only when every router has a
 * worker of that contract.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { withHelloMark } from '../../src/core/identity/identity.ts';
import { silentLogger } from '../../src/core/logging/logging.ts';
import { Backend } from '../../src/router/backend/backend.ts';
import { ClassicEvents } from '../../src/router/backend/classic-events.ts';
import { AnnouncedContracts } from '../../src/router/backend/contracts.ts';
import { Broker } from '../../src/router/broker/broker.ts';
import { resolveClientLimits } from '../../src/router/broker/client-limits.ts';
import { turnNow } from '../../src/transport/link/turn.ts';
import { controlFrames, isControl } from '../../src/wire/control.ts';
import { HelloAnswer } from '../../src/worker/hello-answer.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import fc, { runs } from '../helpers/property.ts';

failOnLeftovers();

const STARTUP_GRACE = 4000;
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

class TestRouter {
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
        clientLimits: resolveClientLimits(),
        helloTimeout: 100,
        contracts: new AnnouncedContracts(undefined),
        clock: this.clock,
      },
      new Broker({ startupGrace: STARTUP_GRACE }, turnNow()),
      { workerJoined: ignore, workerLeft: ignore, peerActive: ignore, rearmTimer: ignore },
    );
    const send = ([identity, ...frames]: Buffer[]): void => this.sent(String(identity), frames);
    Object.defineProperty(backend.socket, 'send', { value: send });
    this.backend = backend;
    for (const worker of this.workers) {
      const id = withHelloMark(worker.id);
      this.enqueue(worker, () => {
        backend.peerConnected(id, Buffer.from(id));
        this.enqueue(worker, () => this.sendHello(worker));
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

  private sendHello(worker: Worker): void {
    this.backend?.message([Buffer.from(withHelloMark(worker.id)), ...worker.hello(this.index)]);
  }

  private sent(identity: string, frames: Buffer[]): void {
    const worker = this.workers.find(({ id }) => withHelloMark(id) === identity);
    if (worker === undefined || !isControl(frames, 0)) return;
    const answer = worker.answers[this.index];
    this.enqueue(worker, () => {
      const name = String(frames[2]);
      if (name === '$welcome') answer?.record('accepted');
      else if (name === '$refused') answer?.record('refused');
      else if (name === '$who') this.enqueue(worker, () => this.sendHello(worker));
    });
  }

  private enqueue(worker: Worker, deliver: () => void): void {
    if (this.up) this.messages.push({ worker, deliver });
  }
}

const ignore = (): void => undefined;

const step = fc.record({
  what: fc.constantFrom('deliver', 'deliver', 'deliver', 'deliver', 'stop', 'start', 'pass'),
  index: fc.nat(1),
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
      async (routerCount, inForce, refused, steps) => {
        const make = (count: number, name: string): Worker[] =>
          Array.from(
            { length: count },
            (_, n) => new Worker(`${name}-${n}`, contractOf(`/${name}`), routerCount),
          );
        const [first, second] = [make(inForce, 'first'), make(refused, 'second')];
        const workers = [...first, ...second];
        const routers = Array.from({ length: routerCount }, (_, index) => new TestRouter(index, workers));
        const settle = (router: TestRouter): void => {
          while (router.messages.length > 0) router.deliver(0);
        };
        const check = (): void => {
          for (const { accepted } of routers) assert.ok(!accepted.some((worker) => second.includes(worker)));
        };
        // Each worker of the first contract says hello before those of the second.
        for (const router of routers) {
          router.start();
          settle(router);
        }
        for (const { what, index, choice } of steps) {
          const router = routers[index % routers.length];
          assert.ok(router);
          if (what === 'deliver') router.deliver(choice);
          else if (what === 'stop' && router.up) router.stop();
          else if (what === 'start' && !router.up) {
            restarts += 1;
            router.start();
          } else if (what === 'pass' && router.accepted.length > 0) router.clock.advance(STARTUP_GRACE / 2);
          check();
        }
        for (const router of routers) {
          if (!router.up) router.start();
          settle(router);
          router.clock.advance(STARTUP_GRACE);
          settle(router);
          check();
          assert.deepEqual(router.accepted, first);
          router.stop();
        }
        await turn();
      },
    );
    await fc.assert(property, { numRuns: runs(300) });
    assert.ok(restarts > 300, `${restarts} restarts`);
  });
});
