/** Events of a broker as fast-check commands on a `World`. */

import { NO_BYTES, type ReplyMessage } from '../../src/core/messages/message.ts';
import fc from '../helpers/property.ts';
import type { ModelWorker, World } from './router-core-model.ts';

interface State {
  readonly world: World;
}

type Step = (world: World) => void;

/** A command from a function; the invariants are checked after every step. */
class StepCommand implements fc.Command<State, World> {
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
const REPLIES = {
  ok: { code: '', dispatched: true },
  error: { code: 'HANDLER_ERROR', dispatched: true },
  custom: { code: 'MY_CODE', dispatched: true },
  busy: { code: 'BUSY', dispatched: false },
  shuttingDown: { code: 'SHUTTING_DOWN', dispatched: false },
  more: { code: '', dispatched: true, more: true },
} as const;

function replyOf(kind: keyof typeof REPLIES): ReplyMessage {
  return { status: 200, more: false, contentType: '', extras: NO_BYTES, body: NO_BYTES, ...REPLIES[kind] };
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
      new StepCommand(`submit ${eventName} of ${client} ${idempotent} ${timeLeft} ${size}`, (world) =>
        world.submit(eventName, client, idempotent, timeLeft, size),
      ),
  );

const reply = fc
  .record({
    worker: index,
    key: index,
    kind: fc.constantFrom('ok', 'ok', 'ok', 'error', 'custom', 'busy', 'shuttingDown', 'more'),
  })
  .map(
    ({ worker, key, kind }) =>
      new StepCommand(`reply ${kind} by ${worker} to ${key}`, (world) => {
        const port = choose(world.connected, worker);
        const entry = port?.open[key % Math.max(1, port.open.length)];
        if (port === undefined || entry === undefined) return;
        world.recordReply(entry.request);
        const refusal = kind === 'busy' || kind === 'shuttingDown';
        if (kind !== 'more') {
          // A handler has ended when its worker replies, and with it its calls.
          for (const sent of world.callsOf(entry.request)) world.cancel(sent);
          port.open.splice(port.open.indexOf(entry), 1);
          port.replied.push(entry);
          if (
            entry.request.holder === port &&
            refusal &&
            entry.request.settled === undefined &&
            !entry.request.cancelled
          ) {
            entry.request.runs--;
            entry.request.holder = undefined;
          } else if (entry.request.cancelled) entry.request.holder = undefined;
        }
        if (
          kind === 'shuttingDown' &&
          port.worker.held > 0 &&
          entry.request.pending?.generation === entry.generation
        ) {
          port.draining = true;
        }
        world.core.reply(port.worker, entry.id, entry.generation, replyOf(kind), world.now);
      }),
  );

const invalidReply = fc
  .record({ worker: index, key: index, how: fc.constantFrom('duplicate', 'forged', 'foreign') })
  .map(
    ({ worker, key, how }) =>
      new StepCommand(`${how} reply by ${worker} of ${key}`, (world) => {
        const port = choose(world.connected, worker);
        if (port === undefined) return;
        const open = world.requests.filter((request) => request.settled === undefined);
        if (how === 'duplicate') {
          const replied = choose(port.replied, key);
          if (replied !== undefined)
            world.core.reply(port.worker, replied.id, replied.generation, replyOf('ok'), world.now);
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
        const settled = open.filter(
          (request) => request.settled !== undefined && request.settled.code !== 'EXPIRED',
        );
        if (settled.length > 0) throw new Error('an invalid reply settled a request');
      }),
  );

const join = fc
  .record({ events: names, concurrency: fc.integer({ min: 0, max: 3 }), cancels: fc.boolean() })
  .map(
    ({ events, concurrency, cancels }) =>
      new StepCommand(`join ${events?.join() ?? '*'} ${concurrency} ${cancels}`, (world) => {
        if (world.connected.length >= 6) return;
        const id = `worker-${world.workers.length}`;
        world.join({ id, events, concurrency, cancels });
      }),
  );

function withWorker(
  name: string,
  step: (port: ModelWorker, world: World) => void,
): fc.Arbitrary<StepCommand> {
  return index.map(
    (worker) =>
      new StepCommand(`${name} ${worker}`, (world) => {
        const port = choose(world.connected, worker);
        if (port !== undefined) step(port, world);
      }),
  );
}

const update = fc.record({ worker: index, events: names, concurrency: fc.integer({ min: 0, max: 4 }) }).map(
  ({ worker, events, concurrency }) =>
    new StepCommand(`update ${worker} ${events?.join() ?? '*'} ${concurrency}`, (world) => {
      const port = choose(world.connected, worker);
      if (port === undefined) return;
      port.events = events;
      world.announce(events);
      port.concurrency = concurrency;
      world.core.updateWorker(port.worker, { events, concurrency }, world.now);
    }),
);

const remove = withWorker('remove', (port, world) => {
  for (const request of world.requests) if (request.caller === port) world.cancel(request);
  port.left = true;
  for (const { request } of port.open) if (request.holder === port) request.holder = undefined;
  port.open.length = 0;
  world.core.removeWorker(port.worker, world.now);
});

const drain = withWorker('drain', (port, world) => {
  if (port.drainRequested) return;
  port.drainRequested = true;
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

const returnUnsent = withWorker('return unsent', (port, world) => {
  const key = port.open.at(-1);
  if (key?.request.pending === undefined || key.request.pending.generation !== key.generation) return;
  // A request that was never sent has made no calls.
  if (world.callsOf(key.request).length > 0) return;
  port.open.pop();
  if (!key.request.cancelled && key.request.settled === undefined) key.request.runs--;
  key.request.holder = undefined;
  port.blocked = true;
  world.core.block(port.worker);
  world.core.requeueUnsent(key.request.pending, world.now);
});

const cancel = index.map(
  (which) =>
    new StepCommand(`cancel ${which}`, (world) => {
      const request = choose(world.requests.slice(-20), which);
      if (request !== undefined) world.cancel(request);
    }),
);

/** The handler of a request at a native worker calls an event. */
const call = fc
  .record({ worker: index, key: index, eventName: fc.constantFrom('a', 'b', 'c'), idempotent: fc.boolean() })
  .map(
    ({ worker, key, eventName, idempotent }) =>
      new StepCommand(`call ${eventName} by ${worker} for ${key}`, (world) => {
        const callers = world.connected.filter((port) => port.worker.cancels);
        const port = choose(callers, worker);
        const parent = choose(port?.open ?? [], key)?.request;
        if (port !== undefined && parent !== undefined && parent.depth < 16)
          world.call(port, parent, eventName, idempotent);
      }),
  );

const advance = fc.constantFrom(0.3, 8, 40, 400, 31_000).map(
  (time) =>
    new StepCommand(`advance ${time}`, (world) => {
      world.now += time;
      world.core.tick(world.now);
      world.checkExpired();
    }),
);

/** Advances time without a tick, as when the event loop is busy. */
const leap = fc.constantFrom(5, 60).map(
  (time) =>
    new StepCommand(`leap ${time}`, (world) => {
      world.now += time;
    }),
);

const stop = fc.constant(
  new StepCommand('drain the router', (world) => {
    world.draining = true;
    world.core.drain(() => world.idle++);
  }),
);

/** Random sequences of commands. */
export const commandSequences = fc.commands(
  [
    submit,
    submit,
    submit,
    submit,
    reply,
    reply,
    reply,
    invalidReply,
    join,
    join,
    update,
    remove,
    drain,
    stall,
    block,
    unblock,
    returnUnsent,
    cancel,
    call,
    call,
    advance,
    leap,
    fc.oneof({ weight: 1, arbitrary: stop }, { weight: 10, arbitrary: advance }),
  ],
  { maxCommands: 150, size: '+1' },
);
