/**
 * Workers whose handlers run on several threads, all from one worker module. To the routers each
 * thread is a separate worker, whose sockets stay in the parent thread. A module that opens sockets
 * itself runs in processes (see `native-sockets.ts`).
 */

import { Emitter } from '../../core/collections/emitter.ts';
import { defaultLogger, type Logger } from '../../core/logging/logging.ts';
import { checkCount } from '../../core/messages/checks.ts';
import { toError, ZeroMQError } from '../../core/messages/errors.ts';
import { Lifecycle } from '../../core/observability/lifecycle.ts';
import { Backoff } from '../../core/time/backoff.ts';
import { type Cancel, systemClock } from '../../core/time/clock.ts';
import { CurveClient } from '../../transport/curve/curve-options.ts';
import { MAX_MESSAGE_BYTES } from '../../wire/limits.ts';
import { checkRouterTarget, RoutedWorker, type RoutedWorkerOptions } from '../routed-worker.ts';
import type { ModuleHost } from './module-host.ts';
import { type Isolation, newHost } from './new-host.ts';
import { revived } from './new-thread.ts';
import { newPulse, PulseWatch } from './pulse.ts';
import { ThreadExecutor } from './thread-executor.ts';
import { type FromThread, isPosted, type ThreadSetup, type ToThread } from './thread-messages.ts';
import { moduleName, threadStallTimeout, type ZeroMQWorkerThreadsOptions } from './threads-options.ts';

interface ThreadsEvents {
  /** Emitted when the worker of a thread is running. `restarts` is 0 the first time. */
  ready: [thread: number, identity: string, restarts: number];
  /** Emitted when a thread has crashed; it starts again after `delay` ms. */
  crashed: [thread: number, error: Error, delay: number];
  /** Emitted when a router rejects the worker of a thread. */
  refused: [thread: number, endpoint: string, reason: string];
}

/** A position in the group and its current thread. */
interface Place {
  readonly index: number;
  readonly backoff: Backoff;
  thread: ModuleHost | undefined;
  /** The worker that routers see; set while its thread runs. */
  worker: ThreadedWorker | undefined;
  /** A worker of this position has been running before. */
  joined: boolean;
  restarts: number;
  restart: Cancel | undefined;
}

/** A worker whose handlers run in a thread. */
class ThreadedWorker extends RoutedWorker {
  /** Settles everything the thread held, after the thread has ended. */
  abandon(error: Error): Promise<void> {
    return this.cut(error);
  }
}

/** A thread that ran for this long, in ms, started well: the next crash restarts the backoff. */
const HEALTHY_AFTER = 10_000;

/**
 * How long, in ms, a worker may take to cut the requests that run at its deadline, and its thread
 * to end. Then the thread is terminated.
 */
const CUT_TIME = 500;

/**
 * Maximum number of requests that a thread holds beyond its concurrency when no router limits them.
 */
const MAX_QUEUE = 10_000;

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
  private readonly logger: Logger;
  /** For the entries of the threads. Each already names its source in the thread. */
  private readonly threadLogger: Logger;
  private readonly setup: Omit<ThreadSetup, 'pulse'>;
  private readonly threadStallTimeout: number;
  private readonly options: ZeroMQWorkerThreadsOptions;
  private readonly curve: CurveClient | undefined;
  private readonly slots: readonly Place[];
  /** Where threads that start from now on run. */
  private isolation: Isolation = 'thread';
  /** Deadline of the first `stop()`. */
  private deadline: number | undefined;

  /**
   * Creates a group of workers. It starts no thread before `start()`.
   * @param options {@link ZeroMQWorkerThreadsOptions}
   * @throws {ZeroMQConfigError} when an option is invalid; the message names the option
   */
  constructor(options: ZeroMQWorkerThreadsOptions) {
    super();
    const { threads = 2, concurrency, maxMessageSize = MAX_MESSAGE_BYTES } = options;
    checkCount('threads', threads, 1, 1024);
    checkCount('maxMessageSize', maxMessageSize);
    if (concurrency !== undefined) checkCount('concurrency', concurrency);
    this.threadStallTimeout = threadStallTimeout(options);
    checkRouterTarget(options.connection);
    const node = moduleName(options.module);
    this.threadLogger = (options.logger ?? defaultLogger()).child({ module: node });
    this.logger = this.threadLogger.child({ node: 'worker-threads' });
    this.options = { ...options, curve: undefined };
    this.curve = options.curve && new CurveClient(options.curve);
    this.setup = { module: node, concurrency, maxMessageSize };
    this.slots = Array.from({ length: threads }, (_, index) => {
      return {
        index,
        backoff: new Backoff({ max: 30_000 }),
        thread: undefined,
        worker: undefined,
        joined: false,
        restarts: 0,
        restart: undefined,
      };
    });
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

  /** The number of running threads. */
  get running(): number {
    return this.slots.filter((slot) => slot.thread !== undefined).length;
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
      await Promise.all(this.slots.map((slot) => this.launch(slot)));
    } finally {
      signal.removeEventListener('abort', terminate);
    }
  }

  /**
   * Starts a thread and its worker. Resolves when both are running; rejects if the thread ends
   * before.
   */
  private launch(slot: Place): Promise<void> {
    const pulse = newPulse(this.threadStallTimeout);
    const thread = newHost(this.isolation, { ...this.setup, pulse });
    slot.thread = thread;
    const startedAt = systemClock.now();
    let executor: ThreadExecutor | undefined;
    let failure: Error | undefined;
    let moving = false;
    return new Promise((resolve, reject) => {
      const joined = (): void => {
        slot.joined = true;
        resolve();
      };
      const failed = (error: unknown): void => {
        failure ??= toError(error);
        void thread.terminate();
      };
      const watch = new PulseWatch(pulse, () => {
        executor = undefined;
        failed(this.stalled(slot));
      });
      thread.on('message', (message: FromThread) => {
        if (isPosted(message)) executor?.received(message);
        else if (message.type === 'needs-process') {
          if (!moving) void this.moveToProcess(slot, thread);
          moving = true;
        } else if (message.type === 'ready') {
          executor = new ThreadExecutor(thread, message.concurrency + MAX_QUEUE);
          this.join(slot, executor, message).then(joined, failed);
          watch.start();
        } else this.threadLogger[message.level]({ ...message.fields, thread: slot.index }, message.message);
      });
      thread.on('error', (error) => {
        failure = revived(error);
      });
      thread.on('exit', (code) => {
        watch.stop();
        if (moving && this.isStarted) {
          slot.thread = undefined;
          slot.worker = undefined;
          this.launch(slot).then(joined, reject);
          return;
        }
        const error = failure ?? new ZeroMQError('THREAD_EXIT', `the thread ended with exit code ${code}`);
        this.ended(slot, error, systemClock.now() - startedAt);
        reject(error);
      });
    });
  }

  private get isStarted(): boolean {
    const { state } = this.lifecycle;
    return state === 'running' || state === 'starting';
  }

  /**
   * Replaces a thread whose module opens sockets: it finishes its requests, and a process takes its
   * slot.
   */
  private async moveToProcess({ index, worker }: Place, thread: ModuleHost): Promise<void> {
    if (this.isolation === 'thread') {
      this.logger.info({ thread: index }, 'the worker module opens ZeroMQ sockets: it moves to a process');
    }
    this.isolation = 'process';
    await worker?.stop();
    await thread.terminate();
  }

  /**
   * Handles the end of a thread and its worker. A thread that has worked before starts again, as
   * does a restarted one.
   */
  private ended(slot: Place, error: Error, livedFor: number): void {
    slot.thread = undefined;
    this.abandon(slot, error);
    const { state } = this.lifecycle;
    if (state === 'running' || (state === 'starting' && slot.joined)) this.crashed(slot, error, livedFor);
  }

  /**
   * Handles a stalled thread. Routers learn that its worker is lost, even if native code keeps the
   * thread from ending.
   */
  private stalled(slot: Place): Error {
    const error = new ZeroMQError(
      'THREAD_STALLED',
      `the thread stood still for more than ${this.threadStallTimeout} ms`,
    );
    this.logger.error({ err: error, thread: slot.index }, 'a handler blocks a worker thread; it is ended');
    this.abandon(slot, error);
    return error;
  }

  private abandon(slot: Place, error: Error): void {
    void slot.worker?.abandon(error);
    slot.worker = undefined;
  }

  /** Connects the worker of the thread to the routers. */
  private async join(slot: Place, executor: ThreadExecutor, ready: ReadyMessage): Promise<void> {
    if (!this.isStarted) return;
    const { connection, dns, heartbeatConfig, configFile } = this.options;
    const { announcement, concurrency } = ready;
    const routed: RoutedWorkerOptions = { connection, dns, heartbeatConfig, announcement, curve: this.curve };
    const { maxMessageSize } = this.setup;
    const logger = this.logger.child({ thread: slot.index });
    const worker = new ThreadedWorker(
      'worker',
      { executor, concurrency, maxMessageSize, configFile, logger },
      routed,
    );
    slot.worker = worker;
    worker.on('refused', (endpoint, reason) => this.notify('refused', slot.index, endpoint, reason));
    await worker.start();
    this.notify('ready', slot.index, worker.identity.identity, slot.restarts);
  }

  private crashed(slot: Place, error: Error, livedFor: number): void {
    if (livedFor > HEALTHY_AFTER) slot.backoff.reset();
    const delay = slot.backoff.next();
    this.logger.error(
      { err: error, thread: slot.index, delay },
      'a worker thread died and will be started again',
    );
    this.notify('crashed', slot.index, error, delay);
    // The timer is not unref'd: after the end of the last thread nothing else keeps the process
    // alive.
    const timer = setTimeout(() => {
      slot.restart = undefined;
      slot.restarts += 1;
      // The exit of a thread that ends before it is ready was already handled; the next attempt is
      // scheduled.
      this.launch(slot).catch(() => undefined);
    }, delay);
    slot.restart = () => clearTimeout(timer);
  }

  private async drain(signal: AbortSignal): Promise<void> {
    for (const slot of this.slots) slot.restart?.();
    signal.addEventListener('abort', () => void this.terminate(), { once: true });
    await Promise.all(this.slots.map((slot) => this.retire(slot)));
  }

  /** Drains the worker, then ends its thread. */
  private async retire({ thread, worker }: Place): Promise<void> {
    if (thread === undefined) return;
    const exit = new Promise((resolve) => thread.once('exit', resolve));
    await worker?.stop({ deadline: this.deadline });
    const stop: ToThread = { type: 'stop' };
    thread.postMessage(stop);
    await exit;
  }

  private async release(): Promise<void> {
    const error = new ZeroMQError('CLOSED', 'the worker threads are closed');
    for (const slot of this.slots) slot.restart?.();
    await Promise.all(this.slots.flatMap(({ worker }) => worker?.abandon(error) ?? []));
    await this.terminate();
  }

  private async terminate(): Promise<void> {
    await Promise.all(this.slots.flatMap(({ thread }) => thread?.terminate() ?? []));
  }
}

type ReadyMessage = Extract<FromThread, { type: 'ready' }>;
