/**
 * No success without an execution: the backend of a router, whatever the order and delay of connections, hellos, requests,
 * replies, takeovers and restarts. The socket is faked; time stands still but for the hellos that are due.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
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
import { turnNow } from '../../src/transport/link/turn.ts';
import type { SendHandler } from '../../src/transport/socket/message-socket.ts';
import { readClassic, replyFrames } from '../../src/wire/classic.ts';
import { controlFrames, isControl } from '../../src/wire/control.ts';
import { isPacked, PackedBatch, readPacked } from '../../src/wire/packed.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { makeReply } from '../unit/wire/messages.ts';

failOnLeftovers();

const EMPTY = Buffer.alloc(0);
const GRACE = 100;

type Kind = 'ours' | 'plain' | 'classic';

/** A request that a peer was given, and how its reply travels. */
interface Given {
  readonly body: string;
  readonly back: (reply: ReplyMessage) => Buffer[];
}

/** One connection of a worker, as the worker sees it. */
class Connection {
  readonly given: Given[] = [];
  helloed = false;
  up = true;

  constructor(
    readonly kind: Kind,
    readonly id: string,
  ) {}

  take(frames: Buffer[]): void {
    const [first] = frames;
    if (first === undefined || isControl(frames, 0)) return;
    if (isPacked(first)) {
      const packedRequest = (id: number, generation: number, { body }: RequestMessage): void => {
        const back = (reply: ReplyMessage): Buffer[] => {
          const batch = new PackedBatch();
          batch.addReply(id, generation, reply);
          return batch.take();
        };
        this.given.push({ body: String(body), back });
      };
      assert.ok(readPacked(frames, 0, { packedRequest, packedReply: () => 0, packedCancel: () => 0 }));
      assert.ok(this.helloed, 'packed before the hello');
      assert.equal(this.kind, 'ours', 'packed for a worker that does not pack');
      return;
    }
    const classic = readClassic(frames, 0);
    if (!('body' in classic)) return;
    const { envelope, eventName, body, metadata } = classic;
    assert.notEqual(this.kind, 'ours', 'classic frames for a worker that packs');
    assert.equal(metadata !== undefined, this.kind === 'plain', 'metadata is for native workers');
    assert.equal(this.helloed, this.kind === 'plain', 'a request before the hello');
    const back = (reply: ReplyMessage): Buffer[] => [
      ...envelope,
      EMPTY,
      ...replyFrames(eventName, reply, this.kind === 'plain' ? 'plain' : 'none'),
    ];
    this.given.push({ body: String(body), back });
  }
}

class Site {
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

  /** A router, or the next one in its place: it knows nothing of the connections before. */
  start(): void {
    this.core = new Broker({ startupGrace: 60_000, breaker: false }, turnNow());
    const options = {
      identity: 'router',
      maxMessageSize: 1_000_000,
      source: { kind: 'router', node: 'router' } as const,
      logger: silentLogger,
      classicConcurrency: 4,
      classicEvents: new ClassicEvents(),
      helloTimeout: GRACE,
      contracts: new AnnouncedContracts(undefined),
      clock: this.clock,
    };
    const ignore = (): void => undefined;
    const owner = { workerJoined: ignore, workerLeft: ignore, peerActive: ignore, rearmTimer: ignore };
    this.backend = new Backend(options, this.core, owner);
    const send = (frames: Buffer[], handler: SendHandler): void => this.sent(frames, handler);
    Object.defineProperty(this.backend.socket, 'send', { value: send });
  }

  stop(): void {
    for (const connection of this.connections) connection.up = false;
    this.connections.length = 0;
    this.core.shutDown();
    this.backend.close();
  }

  connect(kind: Kind, number: number): void {
    const name = `${kind}-${number}`;
    const id = kind === 'classic' ? name : withHelloMark(name);
    for (const old of this.connections) if (old.id === id) old.up = false;
    this.connections.push(new Connection(kind, id));
    this.backend.peerConnected(id, Buffer.from(id));
  }

  lose(connection: Connection): void {
    connection.up = false;
    this.backend.peerLeft(connection.id);
  }

  say(connection: Connection, frames: Buffer[]): void {
    if (connection.up) this.backend.message([Buffer.from(connection.id), ...frames]);
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
      assert.ok(this.executed.has(body), `request ${body} succeeded, and no worker ran it`);
    };
    this.core.submit(message, { settle }, turnNow());
  }

  private sent([identity, ...frames]: Buffer[], handler: SendHandler): void {
    const connection = this.connections.find(({ up, id }) => up && id === identity?.toString('latin1'));
    if (connection === undefined) handler.refused([identity ?? EMPTY, ...frames], 'EHOSTUNREACH');
    else connection.take(frames);
  }
}

const REPLIES = {
  success: () => makeReply({ body: Buffer.from('1') }),
  refusal: () => failure('SHUTTING_DOWN', 'the worker is shutting down'),
  unknown: () => failure('NO_HANDLER', 'no handler for this event'),
  own: () => makeReply({ code: 'NOT_FOUND', status: 404, body: Buffer.from('{"error":"none"}') }),
};

const index = fc.nat(50);
const step = fc.oneof(
  fc.record({
    what: fc.constant('connect' as const),
    kind: fc.constantFrom('ours', 'plain', 'classic'),
    number: fc.nat(2),
  }),
  fc.record({ what: fc.constantFrom('hello', 'bye', 'lose'), of: index }),
  fc.record({
    what: fc.constant('request' as const),
    event: fc.constantFrom('a', 'b'),
    idempotent: fc.boolean(),
  }),
  fc.record({
    what: fc.constant('request' as const),
    event: fc.constantFrom('a', 'b'),
    idempotent: fc.boolean(),
  }),
  fc.record({
    what: fc.constant('reply' as const),
    of: index,
    how: fc.constantFrom(...Object.keys(REPLIES)),
  }),
  fc.record({ what: fc.constant('reply' as const), of: index, how: fc.constant('success') }),
  fc.record({ what: fc.constant('pass' as const), time: fc.constantFrom(1, GRACE, GRACE * 100) }),
  fc.constant({ what: 'turn' as const }),
  fc.constant({ what: 'restart' as const }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function take(site: Site, one: Step): Promise<void> {
  const { connections } = site;
  const chosen = 'of' in one ? connections[one.of % Math.max(1, connections.length)] : undefined;
  if (one.what === 'connect') site.connect(one.kind, one.number);
  else if (one.what === 'request') site.request(one.event, one.idempotent);
  else if (one.what === 'pass') site.clock.advance(one.time);
  else if (one.what === 'restart') {
    site.stop();
    site.start();
  } else if (one.what === 'turn') await new Promise((resolve) => setImmediate(resolve));
  else if (chosen === undefined || !chosen.up) return;
  else if (one.what === 'lose') site.lose(chosen);
  else if (one.what === 'reply') {
    const given = chosen.given.shift();
    if (given === undefined) return;
    if (one.how === 'success') site.executed.add(given.body);
    site.say(chosen, given.back(REPLIES[one.how as keyof typeof REPLIES]()));
  } else if (chosen.kind !== 'classic' && one.what === 'bye') site.say(chosen, controlFrames('$bye', {}));
  else if (chosen.kind !== 'classic') {
    chosen.helloed = true;
    const pack = chosen.kind === 'ours' ? 1 : 0;
    site.say(chosen, controlFrames('$hello', { v: 1, pack, concurrency: 2, events: ['a'] }));
  }
}

describe('the backend of a router, whatever happens', () => {
  it('settles no request as a success that no worker ran', async () => {
    let successes = 0;
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }),
      async (steps) => {
        const site = new Site();
        for (const one of steps) await take(site, one);
        await new Promise((resolve) => setImmediate(resolve));
        site.stop();
        successes += site.successes;
      },
    );
    await fc.assert(property, { numRuns: 300 });
    assert.ok(successes > 50, `${successes} successes: the courses of events try too little`);
  });
});
