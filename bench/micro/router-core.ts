/**
 * The router's core without sockets: cost of a request by number of workers, events and queued
 * requests, and memory of a queued request.
 *
 *     node --import tsx bench/micro/router-core.ts
 */
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { NO_BYTES, type ReplyMessage, type RequestMessage } from '../../src/core/messages/message.ts';
import { Broker } from '../../src/router/broker/broker.ts';
import type { BrokerOptions } from '../../src/router/broker/limits.ts';
import type { Origin, RouterRequest } from '../../src/router/broker/request.ts';
import type { Worker, WorkerPort } from '../../src/router/broker/worker.ts';
import { createStrategy } from '../../src/router/strategies/index.ts';
import type { MicroSuite } from './task.ts';

const ROUNDS = 7;
const BODY_BYTES = 64;
/** A frame as large as a full batch. Each body is a slice of it. */
const BATCH = Buffer.alloc(256 * 1024, 0x20);

const REPLY: ReplyMessage = {
  status: 200,
  code: '',
  dispatched: true,
  more: false,
  contentType: '',
  extras: NO_BYTES,
  body: NO_BYTES,
};

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;

class Port implements WorkerPort {
  readonly held: RouterRequest[] = [];
  readonly worker: Worker;

  constructor(
    private readonly system: System,
    id: string,
    events: readonly string[] | undefined,
    concurrency: number,
  ) {
    this.worker = system.core.addWorker(this, { id, events, concurrency }, system.now);
  }

  dispatch(pending: RouterRequest): boolean {
    this.held.push(pending);
    this.system.busy.push(this);
    return true;
  }

  cancel(): void {}

  reply(pending: RouterRequest): void {
    this.system.core.reply(this.worker, pending.id, pending.generation, REPLY, this.system.now);
  }
}

/** A core with its workers and a client that counts settled requests. */
class System implements Origin {
  now = 0;
  settled = 0;
  /** Ports in the order in which they received requests. */
  busy: Port[] = [];
  readonly core: Broker;

  constructor(workers: number, events: readonly string[], concurrency: number, options: BrokerOptions = {}) {
    this.core = new Broker({ queueLimit: 1e9, queueBytes: 1e12, defaultTimeout: 60_000, ...options });
    for (let index = 0; index < workers; index++) new Port(this, `worker-${index}`, events, concurrency);
  }

  settle(): void {
    this.settled++;
  }

  submit(eventName: string, index: number): void {
    const at = (index * BODY_BYTES) % BATCH.length;
    const message: RequestMessage = {
      eventName,
      body: BATCH.subarray(at, at + BODY_BYTES),
      timeLeft: 5000,
      idempotent: false,
      requestId: '',
      extras: NO_BYTES,
    };
    this.core.submit(message, this, this.now);
  }

  /** Replies to all dispatched requests. Returns their number. */
  replyAll(): number {
    const { busy } = this;
    this.busy = [];
    for (const port of busy) {
      const pending = port.held.shift();
      if (pending !== undefined) port.reply(pending);
    }
    return busy.length;
  }
}

/** Microseconds of CPU time. Unlike elapsed time, it is hardly affected by other processes. */
function cpuSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `event-${index}`);

/**
 * Microseconds of CPU time per request with `window` requests in flight. The clock advances 0.05 ms
 * per turn.
 */
function roundTrips(system: System, events: readonly string[], window: number, total: number): number {
  const start = process.cpuUsage();
  for (let done = 0; done < total; done += window) {
    system.now += 0.05;
    for (let index = 0; index < window; index++)
      system.submit(events[(done + index) % events.length] ?? '', index);
    system.core.tick(system.now);
    while (system.replyAll() > 0) system.now += 0.05;
  }
  return cpuSince(start) / total;
}

/** Microseconds of CPU time per request to drain `queued` requests through one worker. */
function drain(queued: number, eventCount: number): number {
  const events = names(eventCount);
  const system = new System(1, events, 64);
  for (let index = 0; index < queued; index++) system.submit(events[index % eventCount] ?? '', index);
  collect();
  const start = process.cpuUsage();
  while (system.replyAll() > 0) system.now += 0.05;
  const took = cpuSince(start);
  if (system.settled !== queued) throw new Error(`${system.settled} of ${queued} settled`);
  return took / queued;
}

/** Bytes of memory per queued request, without its payload. */
function memory(queued: number): number {
  const events = names(10);
  const system = new System(1, events, 1);
  const used = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = used();
  for (let index = 0; index < queued; index++) system.submit(events[index % events.length] ?? '', index);
  const after = used();
  if (system.core.stats().queued < queued - 1) throw new Error('not queued');
  return (after - before) / queued - BODY_BYTES;
}

function median(measure: () => number): number {
  const values = Array.from({ length: ROUNDS }, measure).sort((a, b) => a - b);
  return values[ROUNDS >> 1] ?? 0;
}

function tell(name: string, value: number, unit: string): void {
  console.log(`  ${name.padEnd(56)} ${value.toFixed(value < 100 ? 3 : 0).padStart(8)} ${unit}`);
}

/** Round trips through the core, for `npm run bench:micro`. */
export function routerCoreSuite(): MicroSuite {
  const task = (workers: number, eventCount: number, window: number): MicroSuite['tasks'][number] => {
    const events = names(eventCount);
    const system = new System(workers, events, 64);
    return {
      name: `${workers} workers, ${eventCount} events, ${window} at a time`,
      units: 1024,
      run: () => void roundTrips(system, events, window, 1024),
    };
  };
  const tasks = [
    task(1, 10, 64),
    task(100, 10, 64),
    task(1, 10_000, 64),
    task(100, 10_000, 64),
    task(4, 10, 512),
  ];
  return { title: "The router's core: submit and reply", tasks };
}

function main(): void {
  console.log('Memory of a waiting request beyond its payload');
  tell('100,000 waiting for 10 events', memory(100_000), 'bytes');
  const total = 100_000;
  console.log('Submit and reply, µs of CPU a request');
  for (const strategy of ['least-loaded', 'round-robin', 'least-recently-used', 'power-of-two', 'sticky']) {
    for (const workers of [1, 100]) {
      const events = names(10);
      const system = new System(workers, events, 64, { strategy: createStrategy(strategy) });
      tell(
        `${strategy}, ${workers} workers`,
        median(() => roundTrips(system, events, 64, total)),
        'µs',
      );
    }
  }
  for (const [workers, count] of [
    [1, 10],
    [1, 10_000],
    [100, 10_000],
    [1000, 10],
  ] as const) {
    const events = names(count);
    const system = new System(workers, events, 64);
    tell(
      `${workers} workers, ${count} events`,
      median(() => roundTrips(system, events, 64, total)),
      'µs',
    );
  }
  for (const workers of [1, 100]) {
    const events = names(10);
    const system = new System(workers, events, 64);
    tell(
      `${workers} workers, one request a turn`,
      median(() => roundTrips(system, events, 1, total)),
      'µs',
    );
  }
  const events = names(10);
  const saturated = new System(4, events, 16);
  tell(
    '4 workers with 16 credits, 512 at a time (queued)',
    median(() => roundTrips(saturated, events, 512, total)),
    'µs',
  );
  const classic = new System(100, events, 1);
  tell(
    '100 workers with 1 credit, 64 at a time',
    median(() => roundTrips(classic, events, 64, total)),
    'µs',
  );
  console.log('Drain of a queue, µs of CPU a request');
  for (const [queued, count] of [
    [10_000, 1],
    [100_000, 1],
    [10_000, 1000],
    [100_000, 1000],
  ] as const) {
    tell(
      `${queued} waiting for ${count} events`,
      median(() => drain(queued, count)),
      'µs',
    );
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();
