/**
 * The backend of a router settles no request successfully unless a worker ran it, for any order and
 * delay of connections, hellos, requests, replies and restarts. The socket and the clock are fakes.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withHelloMark } from '../../src/core/identity/identity.ts';
import { silentLogger } from '../../src/core/logging/logging.ts';
import {
  failure,
  NO_BYTES,
  type ReplyMessage,
  type RequestMessage,
} from '../../src/core/messages/message.ts';
import { Backend } from '../../src/router/backend/backend.ts';
import { ClassicEvents } from '../../src/router/backend/classic-events.ts';
import { AnnouncedContracts } from '../../src/router/backend/contracts.ts';
import { Broker } from '../../src/router/broker/broker.ts';
import { resolveClientLimits } from '../../src/router/broker/client-limits.ts';
import { turnNow } from '../../src/transport/link/turn.ts';
import type { SendHandler } from '../../src/transport/socket/message-socket.ts';
import { readClassic, replyFrames } from '../../src/wire/classic.ts';
import { controlFrames, isControl } from '../../src/wire/control.ts';
import { isPacked, readPacked } from '../../src/wire/packed.ts';
import { PackedBatch } from '../../src/wire/packed-batch.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import fc, { runs } from '../helpers/property.ts';
import { makeReply } from '../unit/wire/messages.ts';

failOnLeftovers();

const EMPTY = Buffer.alloc(0);
const HELLO_TIMEOUT = 100;

type Kind = 'packing' | 'plain' | 'classic';

/** A request that a worker received, and how its reply is encoded. */
interface Received {
  readonly body: string;
  readonly encode: (reply: ReplyMessage) => Buffer[];
}

/** One connection of a worker, from the worker's point of view. */
class Connection {
  readonly received: Received[] = [];
  helloSent = false;
  connected = true;

  constructor(
    readonly kind: Kind,
    readonly id: string,
  ) {}

  receive(frames: Buffer[]): void {
    const [first] = frames;
    if (first === undefined || isControl(frames, 0)) return;
    if (isPacked(first)) {
      const packedRequest = (id: number, generation: number, { body }: RequestMessage): void => {
        const encode = (reply: ReplyMessage): Buffer[] => {
          const batch = new PackedBatch();
          batch.addReply(id, generation, reply);
          return batch.take();
        };
        this.received.push({ body: String(body), encode });
      };
      assert.ok(readPacked(frames, 0, { packedRequest, packedReply: () => 0, packedCancel: () => 0 }));
      assert.ok(this.helloSent, 'a packed request before the hello');
      assert.equal(this.kind, 'packing', 'a packed request for a worker that does not pack');
      return;
    }
    const classic = readClassic(frames, 0);
    if (!('body' in classic)) return;
    const { envelope, eventName, body, metadata } = classic;
    assert.notEqual(this.kind, 'packing', 'classic frames for a worker that packs');
    assert.equal(metadata !== undefined, this.kind === 'plain', 'metadata is for native workers');
    assert.equal(this.helloSent, this.kind === 'plain', 'a request before the hello');
    const encode = (reply: ReplyMessage): Buffer[] => [
      ...envelope,
      EMPTY,
      ...replyFrames(eventName, reply, this.kind === 'plain' ? 'plain' : 'none'),
    ];
    this.received.push({ body: String(body), encode });
  }
}

class RouterScenario {
  clock = new FakeClock();
  readonly executed = new Set<string>();
  readonly connections: Connection[] = [];
  successes = 0;
  private core!: Broker;
  private backend!: Backend;
  private requests = 0;

  constructor() {
    this.start();
  }

  /** Starts a router that knows none of the earlier connections. */
  start(): void {
    this.core = new Broker({ startupGrace: 60_000, breaker: false }, turnNow());
    const options = {
      identity: 'router',
      maxMessageSize: 1_000_000,
      source: { kind: 'router', node: 'router' } as const,
      logger: silentLogger,
      classicConcurrency: 4,
      classicEvents: new ClassicEvents(),
      clientLimits: resolveClientLimits(),
      helloTimeout: HELLO_TIMEOUT,
      contracts: new AnnouncedContracts(undefined),
      clock: this.clock,
    };
    const ignore = (): void => undefined;
    const owner = { workerJoined: ignore, workerLeft: ignore, peerActive: ignore, rearmTimer: ignore };
    this.backend = new Backend(options, this.core, owner);
    const send = (frames: Buffer[], handler: SendHandler): void => this.deliver(frames, handler);
    Object.defineProperty(this.backend.socket, 'send', { value: send });
  }

  stop(): void {
    for (const connection of this.connections) connection.connected = false;
    this.connections.length = 0;
    this.core.shutDown();
    this.backend.close();
  }

  connect(kind: Kind, number: number): void {
    const name = `${kind}-${number}`;
    const id = kind === 'classic' ? name : withHelloMark(name);
    for (const former of this.connections) if (former.id === id) former.connected = false;
    this.connections.push(new Connection(kind, id));
    this.backend.peerConnected(id, Buffer.from(id));
  }

  disconnect(connection: Connection): void {
    connection.connected = false;
    this.backend.peerLeft(connection.id);
  }

  send(connection: Connection, frames: Buffer[]): void {
    if (connection.connected) this.backend.message([Buffer.from(connection.id), ...frames]);
  }

  request(eventName: string, idempotent: boolean): void {
    const body = String(++this.requests);
    const message = {
      eventName,
      body: Buffer.from(body),
      timeLeft: 60_000,
      idempotent,
      requestId: '',
      extras: NO_BYTES,
    };
    const settle = (_pending: unknown, reply: ReplyMessage): void => {
      if (reply.code !== '') return;
      this.successes += 1;
      assert.ok(this.executed.has(body), `request ${body} succeeded, but no worker ran it`);
    };
    this.core.submit(message, { settle }, turnNow());
  }

  private deliver([identity, ...frames]: Buffer[], handler: SendHandler): void {
    const connection = this.connections.find(
      ({ connected, id }) => connected && id === identity?.toString('latin1'),
    );
    if (connection === undefined) handler.refused([identity ?? EMPTY, ...frames], 'EHOSTUNREACH');
    else connection.receive(frames);
  }
}

const REPLIES = {
  success: () => makeReply({ body: Buffer.from('1') }),
  rejected: () => failure('SHUTTING_DOWN', 'the worker is shutting down'),
  noHandler: () => failure('NO_HANDLER', 'no handler for this event'),
  replyError: () => makeReply({ code: 'NOT_FOUND', status: 404, body: Buffer.from('{"error":"none"}') }),
};

const index = fc.nat(50);
const anyStep = fc.oneof(
  fc.record({
    action: fc.constant('connect' as const),
    kind: fc.constantFrom('packing', 'plain', 'classic'),
    number: fc.nat(2),
  }),
  fc.record({ action: fc.constantFrom('hello', 'bye', 'disconnect'), target: index }),
  fc.record({
    action: fc.constant('request' as const),
    event: fc.constantFrom('a', 'b'),
    idempotent: fc.boolean(),
  }),
  fc.record({
    action: fc.constant('request' as const),
    event: fc.constantFrom('a', 'b'),
    idempotent: fc.boolean(),
  }),
  fc.record({
    action: fc.constant('reply' as const),
    target: index,
    how: fc.constantFrom(...Object.keys(REPLIES)),
  }),
  fc.record({ action: fc.constant('reply' as const), target: index, how: fc.constant('success') }),
  fc.record({
    action: fc.constant('advance' as const),
    time: fc.constantFrom(1, HELLO_TIMEOUT, HELLO_TIMEOUT * 100),
  }),
  fc.constant({ action: 'turn' as const }),
  fc.constant({ action: 'restart' as const }),
);
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

async function perform(scenario: RouterScenario, step: Step): Promise<void> {
  const { connections } = scenario;
  const target = 'target' in step ? connections[step.target % Math.max(1, connections.length)] : undefined;
  if (step.action === 'connect') scenario.connect(step.kind, step.number);
  else if (step.action === 'request') scenario.request(step.event, step.idempotent);
  else if (step.action === 'advance') scenario.clock.advance(step.time);
  else if (step.action === 'restart') {
    scenario.stop();
    scenario.start();
  } else if (step.action === 'turn') await new Promise((resolve) => setImmediate(resolve));
  else if (target === undefined || !target.connected) return;
  else if (step.action === 'disconnect') scenario.disconnect(target);
  else if (step.action === 'reply') {
    const received = target.received.shift();
    if (received === undefined) return;
    if (step.how === 'success') scenario.executed.add(received.body);
    scenario.send(target, received.encode(REPLIES[step.how as keyof typeof REPLIES]()));
  } else if (target.kind !== 'classic' && step.action === 'bye')
    scenario.send(target, controlFrames('$bye', {}));
  else if (target.kind !== 'classic') {
    target.helloSent = true;
    const pack = target.kind === 'packing' ? 1 : 0;
    scenario.send(target, controlFrames('$hello', { v: 1, pack, concurrency: 2, events: ['a'] }));
  }
}

describe('router backend under random events', () => {
  it('router backend: settles no request successfully unless a worker ran it', async () => {
    let successes = 0;
    const property = fc.asyncProperty(
      fc.array(anyStep, { minLength: 10, maxLength: 80, size: 'max' }),
      async (steps) => {
        const scenario = new RouterScenario();
        for (const step of steps) await perform(scenario, step);
        await new Promise((resolve) => setImmediate(resolve));
        scenario.stop();
        successes += scenario.successes;
      },
    );
    await fc.assert(property, { numRuns: runs(300) });
    assert.ok(successes > 10, `${successes} successes: the random steps are too weak`);
  });
});
