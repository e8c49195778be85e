/**
 * The broker under random streams: chunks and grants in both directions, windows that are exceeded,
 * cancels, worker loss, silence and drains. The model knows only the documented rules.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ReplyMessage } from '../../src/core/messages/message.ts';
import type { Origin, RouterRequest } from '../../src/router/broker/request.ts';
import fc, { runs } from '../helpers/property.ts';
import { FakeWorker, type Sent, System } from '../unit/router/fixture.ts';

const IDLE = 1000;
const TIMEOUT = 500;

/** A request with a stream, as its caller and its workers see it. */
class Model implements Origin {
  pending: RouterRequest | undefined;
  /** Bytes that the worker may still send. */
  left: number;
  /** Bytes that the caller may still send. */
  bodyLeft = 0;
  readonly chunks: string[] = [];
  readonly received: string[] = [];
  readonly body: string[] = [];
  readonly bodyReceived: string[] = [];
  bodyEnded = false;
  /** Time of the last chunk of the body, or of a later grant: the time for the reply starts again. */
  bodyActiveAt = -Infinity;
  outcome: string | undefined;
  cancelled = false;
  /** Whether a chunk was passed on, so that no other worker may run the request. */
  bound = false;
  runs = 0;

  constructor(
    window: number,
    readonly upload: boolean,
  ) {
    this.left = window;
  }

  get open(): boolean {
    return this.outcome === undefined && !this.cancelled;
  }

  settle(_request: RouterRequest, reply: ReplyMessage): void {
    assert.ok(this.open, 'a part arrived after the end');
    if (reply.more) this.received.push(reply.body.toString());
    else this.outcome = reply.code || 'ok';
  }

  window(_request: RouterRequest, bytes: number): void {
    assert.ok(this.open && this.upload && bytes > 0, 'a grant without use');
    this.bodyLeft += bytes;
  }

  /** Checks that nothing was lost, repeated or put in another order. */
  check(): void {
    assert.deepEqual(this.received, this.chunks, 'chunks of the reply');
    const arrived = this.bodyReceived;
    assert.deepEqual(arrived, this.body.slice(0, arrived.length), 'chunks of the body');
  }
}

function modelOf({ origin }: RouterRequest): Model {
  assert.ok(origin instanceof Model);
  return origin;
}

class World extends System {
  readonly models: Model[] = [];
  readonly ports: Port[] = [];

  constructor() {
    super({ breaker: false, streamIdleTimeout: IDLE, workerGrace: 300 });
  }

  get live(): Model[] {
    return this.models.filter(({ open }) => open);
  }

  check(): void {
    for (const model of this.models) model.check();
    const stats = this.core.stats();
    const passed = this.models.reduce((sum, { chunks }) => sum + chunks.length, 0);
    assert.ok(stats.chunks >= passed, 'chunks are counted');
    assert.ok(stats.openStreams <= this.live.length, 'streams in flight');
  }
}

class Port extends FakeWorker {
  readonly ended: Sent[] = [];
  lost = false;

  constructor(world: World) {
    super(world, { concurrency: 3 });
    world.ports.push(this);
  }

  override dispatch(pending: RouterRequest, timeLeft: number): boolean {
    const model = modelOf(pending);
    assert.ok(model.open && !model.bound, 'dispatched after a chunk was passed on');
    model.runs += 1;
    return super.dispatch(pending, timeLeft);
  }

  sendWindow(_id: number, _generation: number, bytes: number): void {
    assert.ok(bytes > 0);
  }

  sendChunk(id: number, generation: number, body: Buffer, end: boolean): void {
    const held = this.open.find((sent) => sent.id === id && sent.generation === generation);
    assert.ok(held !== undefined, 'a chunk for a request that the worker does not hold');
    const model = modelOf(held.pending);
    model.bound = true;
    model.bodyReceived.push(`${body.toString()}${end ? '.' : ''}`);
  }
}

type Step = (world: World, pick: <T>(from: readonly T[]) => T | undefined) => void;

let count = 0;

const STEPS: Record<string, Step> = {
  submit(world) {
    count += 1;
    const upload = count % 2 === 0;
    const model = new Model(count % 3 === 0 ? 40 : 400, upload);
    world.models.push(model);
    const request = { window: model.left, idempotent: count % 5 !== 0, timeLeft: TIMEOUT };
    model.pending = world.submit(upload ? { ...request, upload } : request, model);
  },
  join(world) {
    if (world.ports.filter(({ lost }) => !lost).length < 4) new Port(world);
  },
  lose(world, pick) {
    const port = pick(world.ports.filter(({ lost }) => !lost));
    if (port === undefined) return;
    port.lost = true;
    const bound = port.open.map(({ pending }) => modelOf(pending)).filter(({ bound: is }) => is);
    const open = bound.filter((model) => model.open);
    port.remove();
    port.open.length = 0;
    for (const model of open) assert.equal(model.outcome, 'WORKER_LOST', 'a stream outlived its worker');
  },
  chunk(world, pick) {
    const port = pick(world.ports);
    const held = port && pick(port.open);
    if (port === undefined || held === undefined) return;
    const model = modelOf(held.pending);
    const text = `chunk ${(count += 1)}`;
    const timedOut = model.chunks.length === 0 && isLate(world, model);
    const allowed = model.open && model.left > 0 && !timedOut;
    const wasOpen = model.open;
    if (allowed) {
      model.chunks.push(text);
      model.bound = true;
      model.left -= text.length;
    }
    port.replyTo(held, { more: true, body: Buffer.from(text) });
    if (wasOpen && !allowed && !timedOut) assert.equal(model.outcome, 'BAD_REPLY', 'the window was exceeded');
  },
  end(world, pick) {
    const port = pick(world.ports);
    const held = port && pick(port.open);
    if (port === undefined || held === undefined) return;
    port.open.splice(port.open.indexOf(held), 1);
    const model = modelOf(held.pending);
    const wasOpen = model.open;
    port.replyTo(held, {});
    if (wasOpen) assert.match(model.outcome ?? '', /^(?:ok|TIMEOUT)$/);
  },
  grant(world, pick) {
    const model = pick(world.live.filter(({ chunks }) => chunks.length > 0));
    if (model?.pending === undefined) return;
    model.left += 50;
    world.core.streams.grantReply(model.pending, 50, world.now);
  },
  grantBody(world, pick) {
    const port = pick(world.ports);
    const held = port && pick(port.open);
    if (port === undefined || held === undefined) return;
    const model = modelOf(held.pending);
    if (model.bodyEnded) model.bodyActiveAt = world.now;
    world.core.streams.grantBody(port.worker, held.id, held.generation, 30, world.now);
  },
  body(world, pick) {
    const model = pick(world.live.filter(({ upload, bodyEnded }) => upload && !bodyEnded));
    if (model?.pending === undefined || model.bodyLeft <= 0) return;
    const text = `body ${(count += 1)}`;
    model.body.push(text);
    model.bodyLeft -= text.length;
    assert.equal(world.core.streams.body(model.pending, Buffer.from(text), false, world.now), undefined);
  },
  bodyEnd(world, pick) {
    const model = pick(world.live.filter(({ upload, bodyEnded }) => upload && !bodyEnded));
    if (model?.pending === undefined) return;
    model.bodyEnded = true;
    model.bodyActiveAt = world.now;
    model.body.push('.');
    world.core.streams.body(model.pending, Buffer.alloc(0), true, world.now);
  },
  excess(world, pick) {
    const model = pick(world.live.filter(({ bodyLeft }) => bodyLeft <= 0));
    if (model?.pending === undefined) return;
    const drop = world.core.streams.body(model.pending, Buffer.from('x'), false, world.now);
    assert.deepEqual([drop, model.outcome], ['window-exceeded', 'MALFORMED_MESSAGE']);
  },
  cancel(world, pick) {
    const model = pick(world.live);
    if (model?.pending === undefined) return;
    model.cancelled = true;
    world.core.cancel(model.pending);
  },
  pass(world) {
    world.pass(120);
  },
  passLong(world) {
    world.pass(IDLE + TIMEOUT);
  },
};

/** Whether the time for the first chunk of the reply has passed. */
function isLate(world: World, { pending, bodyActiveAt }: Model): boolean {
  return pending !== undefined && Math.max(pending.deadline, bodyActiveAt + TIMEOUT) <= world.now;
}

describe('Broker under random streams', () => {
  it('broker: passes every chunk once and in order, and ends each stream once', () => {
    const step = fc.tuple(
      fc.constantFrom(...Object.keys(STEPS), 'chunk', 'body', 'grant', 'grantBody'),
      fc.nat(),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 150, size: 'max' }), (steps) => {
        count = 0;
        const world = new World();
        new Port(world);
        for (const [name, index] of steps) {
          const pick = <T>(from: readonly T[]): T | undefined => from[index % Math.max(1, from.length)];
          STEPS[name]?.(world, pick);
          world.check();
        }
        world.core.shutDown();
        world.now += 1e6;
        world.core.tick(world.now);
        for (const model of world.models) assert.ok(!model.open, 'a request was never settled');
        const { openStreams, dispatched, abandoned, queued } = world.core.stats();
        assert.deepEqual([openStreams, dispatched, abandoned, queued], [0, 0, 0, 0]);
      }),
      { numRuns: runs(300), includeErrorInReport: true },
    );
  });
});
