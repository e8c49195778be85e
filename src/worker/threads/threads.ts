/**
 * Workers whose handlers run on several threads, all from one worker module. To the routers each
 * thread is a separate worker, whose sockets stay in the parent thread. A module that opens sockets
 * itself runs in processes (see `native-sockets.ts`). Without threads, one worker runs its handlers in
 * the parent thread.
 */

import { withResolvers } from '../../core/collections/deferred.ts';
import { Emitter } from '../../core/collections/emitter.ts';
import { checkZone } from '../../core/identity/zone.ts';
import { defaultLogger } from '../../core/logging/logging.ts';
import { checkCount } from '../../core/messages/checks.ts';
import { ZeroMQSocketClosed } from '../../core/messages/errors.ts';
import { Lifecycle } from '../../core/observability/lifecycle.ts';
import { activeSpanExport } from '../../core/observability/span-export.ts';
import { CurveClient } from '../../transport/curve/curve-options.ts';
import { MAX_MESSAGE_BYTES } from '../../wire/limits.ts';
import { changedRouters, checkRouterTarget } from '../routed-worker.ts';
import type { ModuleHosting } from './module-report.ts';
import { moduleName, threadStallTimeout, type ZeroMQWorkerThreadsOptions } from './threads-options.ts';
import { type SlotGroup, type ThreadReport, WorkerSlot } from './worker-slot.ts';

interface ThreadsEvents {
  /** Emitted when the worker of a thread is running. `restarts` is 0 the first time. */
  ready: [thread: number, identity: string, restarts: number];
  /** Emitted when a thread has crashed; it starts again after `delay` ms. */
  crashed: [thread: number, error: Error, delay: number];
  /** Emitted when a router rejects the worker of a thread. */
  rejected: [thread: number, endpoint: string, reason: string];
}

/**
 * How long, in ms, a worker may take to cut the requests that run at its deadline, and its thread
 * to end. Then the thread is terminated.
 */
const CUT_TIME = 500;

/**
 * Runs a number of workers on worker threads. A crashed thread starts again with backoff; `stop()`
 * drains all of them.
 * @example
 * ```ts
 * const workers = new ZeroMQWorkerThreads({
 *   module: new URL('./tasks.js', import.meta.url),
 *   connection: 'tcp://localhost:5556',
 *   threads: 4,
 * });
 * await workers.start();
 * ```
 */
export class ZeroMQWorkerThreads extends Emitter<ThreadsEvents> implements AsyncDisposable {
  private readonly lifecycle: Lifecycle;
  private readonly slots: readonly WorkerSlot[];
  private readonly group: SlotGroup;
  private readonly acceptance = withResolvers();
  /** Deadline of the first `stop()`. */
  private deadline: number | undefined;

  /**
   * Creates a group of workers. It starts no thread before `start()`.
   * @param options {@link ZeroMQWorkerThreadsOptions}
   * @param hosting how `zeromq-gateway dev` runs the modules
   * @throws {ZeroMQConfigError} when an option is invalid; the message names the option
   */
  constructor(options: ZeroMQWorkerThreadsOptions, hosting?: ModuleHosting) {
    super();
    const { threads = 2, concurrency, maxMessageSize = MAX_MESSAGE_BYTES } = options;
    checkCount('threads', threads, 0, 1024);
    checkCount('maxMessageSize', maxMessageSize);
    if (concurrency !== undefined) checkCount('concurrency', concurrency);
    const stallTimeout = threadStallTimeout(options);
    checkRouterTarget(options.connection);
    const { connection, dns, heartbeatConfig, configFile, zone } = options;
    checkZone(zone);
    const curve = options.curve && new CurveClient(options.curve);
    const node = moduleName(options.module);
    const threadLogger = (options.logger ?? defaultLogger()).child({ module: node });
    const slots = Array.from({ length: Math.max(1, threads) }, (_, index) => index);
    const waiting = new Set(slots);
    const inParent = threads === 0;
    const group: SlotGroup = {
      setup: {
        ...{ module: node, concurrency, maxMessageSize },
        spans: inParent ? undefined : activeSpanExport(),
        reports: hosting !== undefined,
      },
      // A blocked parent could not act on it.
      threadStallTimeout: inParent ? Infinity : stallTimeout,
      isolation: inParent ? 'none' : (hosting?.isolation ?? 'thread'),
      connections: { connection, dns, heartbeatConfig, curve, zone },
      configFile,
      hosting,
      logger: threadLogger.child({ node: 'worker-threads' }),
      threadLogger,
      state: () => this.lifecycle.state,
      ready: (...event) => this.notify('ready', ...event),
      crashed: (...event) => this.notify('crashed', ...event),
      rejected: (...event) => this.notify('rejected', ...event),
      accepted: (thread) => {
        waiting.delete(thread);
        if (waiting.size === 0) this.acceptance.resolve();
      },
    };
    this.group = group;
    this.slots = slots.map((index) => new WorkerSlot(index, group));
    this.lifecycle = new Lifecycle(
      { kind: 'worker-threads', node },
      {
        open: (signal) => this.open(signal),
        drain: (signal) => this.drain(signal),
        release: () => this.release(),
      },
    );
  }

  /** Resolves once, when all threads have ended. */
  get closed(): Promise<Error | undefined> {
    return this.lifecycle.closed;
  }

  /**
   * Resolves when the workers of all threads have been accepted by a router. A router of the Python
   * framework confirms no worker; one that does not answer for 5 seconds counts as such a router.
   */
  get accepted(): Promise<void> {
    return this.acceptance.promise;
  }

  /**
   * Reports on each thread and its worker.
   *
   * @internal
   */
  reports(): ThreadReport[] {
    return this.slots.map((slot) => slot.report());
  }

  /** The number of running threads. */
  get running(): number {
    return this.slots.filter(({ running }) => running).length;
  }

  /**
   * Starts all threads. Resolves when all their workers are running.
   * @throws {Error} the error of a thread that failed on its first start, for example because the
   *   module does not exist or has no handlers
   */
  start(): Promise<void> {
    return this.lifecycle.start();
  }

  /**
   * Replaces routers or CURVE keys while the workers run. A connection to a router that is no longer
   * listed takes no new request, finishes those in flight, and closes. Established connections keep
   * their keys; later ones use the new keys.
   *
   * @param changes `connection` and `curve` as for the constructor; one that is missing does not change.
   * @throws {ZeroMQConfigError} when a value is invalid, when `curve` is given to workers that were
   *   created without, or when workers of one router would get several, or the reverse: how they
   *   divide their concurrency is decided at the start. Nothing is changed then.
   */
  update({ connection, curve }: Partial<Pick<ZeroMQWorkerThreadsOptions, 'connection' | 'curve'>>): void {
    const { connections } = this.group;
    const targets = connection === undefined ? undefined : changedRouters(connections.connection, connection);
    if (curve !== undefined) CurveClient.update(connections.curve, curve);
    if (connection === undefined || targets === undefined) return;
    this.group.connections = { ...connections, connection };
    for (const slot of this.slots) slot.useRouters(targets);
  }

  /**
   * Drains the workers and ends the threads. Idempotent.
   * @param options `deadline`: how long requests may still run, in milliseconds, before they are
   *   cut (default: 10,000)
   */
  stop(options: { deadline?: number } = {}): Promise<void> {
    const { deadline = 10_000 } = options;
    this.deadline ??= deadline;
    return this.lifecycle.close(deadline + CUT_TIME);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  private async open(signal: AbortSignal): Promise<void> {
    const terminate = (): void => void this.terminate();
    signal.addEventListener('abort', terminate, { once: true });
    try {
      await Promise.all(this.slots.map((slot) => slot.start()));
    } finally {
      signal.removeEventListener('abort', terminate);
    }
  }

  private async drain(signal: AbortSignal): Promise<void> {
    for (const slot of this.slots) slot.cancelRestart();
    signal.addEventListener('abort', () => void this.terminate(), { once: true });
    await Promise.all(this.slots.map((slot) => slot.retire(this.deadline)));
  }

  private async release(): Promise<void> {
    const error = new ZeroMQSocketClosed('CLOSED', 'the worker threads are closed');
    for (const slot of this.slots) slot.cancelRestart();
    await Promise.all(this.slots.map((slot) => slot.abandon(error)));
    await this.terminate();
  }

  private async terminate(): Promise<void> {
    await Promise.all(this.slots.map((slot) => slot.terminate()));
  }
}
