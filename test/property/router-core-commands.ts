/** Events of a broker as fast-check commands on a `World`. */
import fc from 'fast-check';
import { NO_BYTES, type ReplyMessage } from '../../src/core/messages/message.ts';
import type { ModelWorker, World } from './router-core-model.ts';

interface State {
  readonly world: World;
}

type Step = (world: World) => void;

/** A command from a function; the invariants are checked after every step. */
class Happens implements fc.Command<State, World> {
  constructor(
    private readonly name: string,
    private readonly step: Step,
  ) {}

  check(): boolean {
    return true;
  }

  run(_state: State, world: World): void {
    this.step(world);
    world.check();
  }

  toString(): string {
    return this.name;
  }
}

const EVENTS = ['a', 'b', 'c'];
const KINDS = {
  ok: { code: '', dispatched: true },
  error: { code: 'HANDLER_ERROR', dispatched: true },
  own: { code: 'MY_CODE', dispatched: true },
  busy: { code: 'BUSY', dispatched: false },
  leaving: { code: 'SHUTTING_DOWN', dispatched: false },
  more: { code: '', dispatched: true, more: true },
} as const;

function replyOf(kind: keyof typeof KINDS): ReplyMessage {
  return { status: 200, more: false, contentType: '', extras: NO_BYTES, body: NO_BYTES, ...KINDS[kind] };
}

function choose<T>(from: readonly T[], index: number): T | undefined {
  return from.length === 0 ? undefined : from[index % from.length];
}

const index = fc.nat(1000);
const names = fc.oneof(fc.subarray(EVENTS, { minLength: 1 }), fc.constant(undefined));

const submit = fc
  .record({
    eventName: fc.constantFrom('a', 'b', 'c', 'unknown'),
    client: fc.nat(2),
    idempotent: fc.boolean(),
    timeLeft: fc.constantFrom(10, 50, 300, 5000),
    size: fc.constantFrom(0, 10, 3000),
  })
  .map(
    ({ eventName, client, idempotent, timeLeft, size }) =>
      new Happens(`submit ${eventName} of ${client} ${idempotent} ${timeLeft} ${size}`, (world) =>
        world.submit(eventName, client, idempotent, timeLeft, size),
      ),
  );

const reply = fc
  .record({
    worker: index,
    key: index,
    kind: fc.constantFrom('ok', 'ok', 'ok', 'error', 'own', 'busy', 'leaving', 'more'),
  })
  .map(
    ({ worker, key, kind }) =>
      new Happens(`reply ${kind} by ${worker} to ${key}`, (world) => {
        const port = choose(world.present, worker);
        const which = port?.open[key % Math.max(1, port.open.length)];
        if (port === undefined || which === undefined) return;
        world.replies(which.seen);
        const refusal = kind === 'busy' || kind === 'leaving';
        if (kind !== 'more') {
          port.open.splice(port.open.indexOf(which), 1);
          port.used.push(which);
          if (
            which.seen.at === port &&
            refusal &&
            which.seen.settled === undefined &&
            !which.seen.cancelled
          ) {
            which.seen.runs--;
            which.seen.at = undefined;
          } else if (which.seen.cancelled) which.seen.at = undefined;
        }
        if (
          kind === 'leaving' &&
          port.worker.held > 0 &&
          which.seen.pending?.generation === which.generation
        ) {
          port.draining = true;
        }
        world.core.reply(port.worker, which.id, which.generation, replyOf(kind), world.now);
      }),
  );

const strayReply = fc
  .record({ worker: index, key: index, how: fc.constantFrom('double', 'forged', 'foreign') })
  .map(
    ({ worker, key, how }) =>
      new Happens(`${how} reply by ${worker} of ${key}`, (world) => {
        const port = choose(world.present, worker);
        if (port === undefined) return;
        const open = world.requests.filter((seen) => seen.settled === undefined);
        if (how === 'double') {
          const used = choose(port.used, key);
          if (used !== undefined)
            world.core.reply(port.worker, used.id, used.generation, replyOf('ok'), world.now);
        } else if (how === 'forged') {
          world.core.reply(port.worker, key, 1 + ((key * 7919) % 100_000), replyOf('ok'), world.now);
        } else {
          const other = choose(
            world.workers.filter((candidate) => candidate !== port),
            key,
          );
          const foreign = choose(other?.open ?? [], key);
          if (foreign !== undefined) {
            world.core.reply(port.worker, foreign.id, foreign.generation, replyOf('ok'), world.now);
          }
        }
        // The reply shows that an unresponsive worker is alive. The worker then receives queued
        // requests, and those that are too late for it expire.
        const settled = open.filter((seen) => seen.settled !== undefined && seen.settled.code !== 'EXPIRED');
        if (settled.length > 0) throw new Error('a stray reply settled a request');
      }),
  );

const join = fc
  .record({ events: names, concurrency: fc.integer({ min: 0, max: 3 }), cancels: fc.boolean() })
  .map(
    ({ events, concurrency, cancels }) =>
      new Happens(`join ${events?.join() ?? '*'} ${concurrency} ${cancels}`, (world) => {
        if (world.present.length >= 6) return;
        const id = `worker-${world.workers.length}`;
        world.join({ id, events, concurrency, cancels });
      }),
  );

function withWorker(name: string, step: (port: ModelWorker, world: World) => void): fc.Arbitrary<Happens> {
  return index.map(
    (worker) =>
      new Happens(`${name} ${worker}`, (world) => {
        const port = choose(world.present, worker);
        if (port !== undefined) step(port, world);
      }),
  );
}

const update = fc.record({ worker: index, events: names, concurrency: fc.integer({ min: 0, max: 4 }) }).map(
  ({ worker, events, concurrency }) =>
    new Happens(`update ${worker} ${events?.join() ?? '*'} ${concurrency}`, (world) => {
      const port = choose(world.present, worker);
      if (port === undefined) return;
      port.events = events;
      world.announce(events);
      port.concurrency = concurrency;
      world.core.updateWorker(port.worker, { events, concurrency }, world.now);
    }),
);

const remove = withWorker('remove', (port, world) => {
  port.gone = true;
  for (const { seen } of port.open) if (seen.at === port) seen.at = undefined;
  port.open.length = 0;
  world.core.removeWorker(port.worker, world.now);
});

const drain = withWorker('drain', (port, world) => {
  if (port.asked) return;
  port.asked = true;
  port.draining = true;
  world.core.drainWorker(port.worker, () => port.drained++);
});

const stall = withWorker('stall', (port) => {
  port.accepts = false;
});

const block = withWorker('block', (port, world) => {
  port.blocked = true;
  world.core.block(port.worker);
});

const unblock = withWorker('unblock', (port, world) => {
  port.accepts = true;
  port.blocked = false;
  world.core.unblock(port.worker, world.now);
});

const giveBack = withWorker('give back', (port, world) => {
  const key = port.open.at(-1);
  if (key?.seen.pending === undefined || key.seen.pending.generation !== key.generation) return;
  port.open.pop();
  if (!key.seen.cancelled && key.seen.settled === undefined) key.seen.runs--;
  key.seen.at = undefined;
  port.blocked = true;
  world.core.block(port.worker);
  world.core.requeueUnsent(key.seen.pending, world.now);
});

const cancel = index.map(
  (which) =>
    new Happens(`cancel ${which}`, (world) => {
      const seen = choose(world.requests.slice(-20), which);
      if (seen?.pending === undefined || seen.settled !== undefined) return;
      seen.cancelled = true;
      world.core.cancel(seen.pending);
    }),
);

const pass = fc.constantFrom(0.3, 8, 40, 400, 31_000).map(
  (time) =>
    new Happens(`pass ${time}`, (world) => {
      world.now += time;
      world.core.tick(world.now);
      world.checkExpired();
    }),
);

/** Advances time without a tick, as when the event loop is busy. */
const leap = fc.constantFrom(5, 60).map(
  (time) =>
    new Happens(`leap ${time}`, (world) => {
      world.now += time;
    }),
);

const stop = fc.constant(
  new Happens('drain the router', (world) => {
    world.draining = true;
    world.core.drain(() => world.idle++);
  }),
);

/** Random sequences of commands. */
export const courses = fc.commands(
  [
    submit,
    submit,
    submit,
    submit,
    reply,
    reply,
    reply,
    strayReply,
    join,
    join,
    update,
    remove,
    drain,
    stall,
    block,
    unblock,
    giveBack,
    cancel,
    pass,
    leap,
    fc.oneof({ weight: 1, arbitrary: stop }, { weight: 10, arbitrary: pass }),
  ],
  { maxCommands: 150, size: '+1' },
);
