/**
 * A simulation of a router under load: the real broker on a simulated clock, with clients and
 * workers that only take time. A simulated minute takes a fraction of a second, and a seed makes
 * the run reproducible.
 */
import { NO_BYTES, type ReplyMessage } from '../../src/core/messages/message.ts';
import { Broker } from '../../src/router/broker/broker.ts';
import type { BrokerOptions } from '../../src/router/broker/limits.ts';
import type { Origin, RouterRequest } from '../../src/router/broker/request.ts';
import type { Worker, WorkerPort } from '../../src/router/broker/worker.ts';
import { Agenda } from './agenda.ts';
import { type Random, randomOf } from './random.ts';

/** The requests of one client for one event. */
export interface Stream {
  readonly client: number;
  readonly eventName: string;
  /** Weight of the stream in the total load. The weights of all streams are added up. */
  readonly weight: number;
  /** Request timeout in milliseconds. */
  readonly timeout: number;
}

/** Parameters of a simulation. */
export interface SimulationOptions {
  /** Concurrency of each worker. */
  readonly workers: readonly number[];
  /**
   * Whether the workers are classic: they do not support cancellation, and they queue the requests
   * they receive.
   */
  readonly classic?: boolean;
  /** Returns the duration of a handler, in milliseconds. */
  readonly service: (random: Random) => number;
  /** Mean of `service`. */
  readonly meanService: number;
  readonly streams: readonly Stream[];
  /**
   * Phases of load relative to the capacity, one after the other, with durations in milliseconds.
   */
  readonly phases: readonly { readonly load: number; readonly duration: number }[];
  /** Whether requests arrive at random (Poisson) instead of at regular intervals. */
  readonly random: boolean;
  readonly seed: number;
  readonly options?: BrokerOptions;
}

/** A request, as seen by its client. */
export interface SimulatedRequest {
  readonly stream: Stream;
  readonly at: number;
  code: string;
  settledAt: number;
}

/** Result of a simulation. */
export interface SimulationResult {
  readonly requests: readonly SimulatedRequest[];
  /** Capacity of the workers, in requests per second. */
  readonly capacity: number;
  /** End time of each phase. */
  readonly ends: readonly number[];
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

/**
 * A worker that runs as many requests at a time as its concurrency. A classic worker queues the
 * rest.
 */
class SimulatedWorker implements WorkerPort {
  private readonly entry: Worker;
  private readonly waiting: { id: number; generation: number }[] = [];
  private running = 0;

  constructor(
    private readonly simulation: Simulation,
    id: string,
    private readonly concurrency: number,
  ) {
    const { classic = false, streams } = simulation.options;
    const events = classic ? undefined : [...new Set(streams.map(({ eventName }) => eventName))];
    this.entry = simulation.broker.addWorker(
      this,
      { id, events, concurrency: concurrency, cancels: !classic },
      0,
    );
  }

  dispatch({ id, generation }: RouterRequest): boolean {
    this.waiting.push({ id, generation });
    this.begin();
    return true;
  }

  /**
   * The handlers ignore the abort signal: a cancelled request occupies the worker until its handler
   * ends.
   */
  cancel(): void {}

  private begin(): void {
    const { simulation: world } = this;
    if (this.running >= this.concurrency) return;
    const next = this.waiting.shift();
    if (next === undefined) return;
    this.running++;
    world.agenda.add(world.now + world.options.service(world.random), () => {
      this.running--;
      world.broker.reply(this.entry, next.id, next.generation, OK, world.now);
      this.begin();
    });
  }
}

class Simulation {
  now = 0;
  readonly agenda = new Agenda();
  readonly broker: Broker;
  readonly random: Random;
  readonly requests: SimulatedRequest[] = [];
  private readonly origins = new Map<number, Origin>();
  private readonly pending = new Map<RouterRequest, SimulatedRequest>();
  private settling: ReplyMessage | undefined;

  constructor(readonly options: SimulationOptions) {
    this.random = randomOf(options.seed);
    this.broker = new Broker({ startupGrace: 0, ...options.options }, 0);
    options.workers.forEach((places, index) => new SimulatedWorker(this, `worker-${index}`, places));
  }

  get capacity(): number {
    const places = this.options.workers.reduce((sum, count) => sum + count, 0);
    return (places * 1000) / this.options.meanService;
  }

  run(): SimulationResult {
    const ends: number[] = [];
    let start = 0;
    for (const { load, duration } of this.options.phases) {
      this.schedulePhase(start, start + duration, load);
      start += duration;
      ends.push(start);
    }
    const longest = Math.max(...this.options.streams.map(({ timeout }) => timeout));
    this.runUntil(start + longest + 1000);
    return { requests: this.requests, capacity: this.capacity, ends };
  }

  /** Schedules the requests of a phase. Each arrival schedules the next one. */
  private schedulePhase(from: number, to: number, load: number): void {
    const { streams, random } = this.options;
    const parts = streams.reduce((sum, { weight: part }) => sum + part, 0);
    for (const stream of streams) {
      const gap = 1000 / ((this.capacity * load * stream.weight) / parts);
      const next = (at: number): void => {
        if (at >= to) return;
        this.agenda.add(at, () => {
          this.submit(stream);
          next(at + (random ? -Math.log(1 - this.random.next()) * gap : gap));
        });
      };
      next(from + this.random.next() * gap);
    }
  }

  private submit(stream: Stream): void {
    const { eventName, timeout: timeLeft } = stream;
    const asked: SimulatedRequest = { stream, at: this.now, code: 'open', settledAt: 0 };
    this.requests.push(asked);
    const message = {
      eventName,
      body: NO_BYTES,
      timeLeft,
      idempotent: false,
      requestId: '',
      extras: NO_BYTES,
    };
    this.settling = undefined;
    const pending = this.broker.submit(message, this.originOf(stream.client), this.now);
    if (pending.state === 'settled') this.recordOutcome(asked, this.settling);
    else this.pending.set(pending, asked);
  }

  private originOf(client: number): Origin {
    let origin = this.origins.get(client);
    if (origin === undefined) {
      origin = {
        settle: (pending, reply) => {
          this.settling = reply;
          const asked = this.pending.get(pending);
          if (asked !== undefined) this.recordOutcome(asked, reply);
          this.pending.delete(pending);
        },
      };
      this.origins.set(client, origin);
    }
    return origin;
  }

  private recordOutcome(asked: SimulatedRequest, reply: ReplyMessage | undefined): void {
    asked.code = reply?.code ?? 'lost';
    asked.settledAt = this.now;
  }

  private runUntil(end: number): void {
    for (;;) {
      const wakeup = this.broker.nextWakeup();
      const next = Math.min(this.agenda.next, wakeup);
      if (next > end) return;
      this.now = Math.max(this.now, next);
      if (wakeup <= this.now) this.broker.tick(this.now);
      this.agenda.take(this.now)?.();
    }
  }
}

/** Runs a simulation to its end. */
export function simulate(course: SimulationOptions): SimulationResult {
  return new Simulation(course).run();
}

/** Successes in a period as a share of what the workers could have completed. */
export function goodput({ requests, capacity }: SimulationResult, from: number, to: number): number {
  const good = requests.filter(({ code, settledAt }) => code === '' && settledAt >= from && settledAt < to);
  return good.length / ((capacity * (to - from)) / 1000);
}

/** Share of the requests sent in a period that succeeded. */
export function success({ requests }: SimulationResult, from: number, to: number): number {
  const made = requests.filter(({ at }) => at >= from && at < to);
  return made.filter(({ code }) => code === '').length / made.length;
}
