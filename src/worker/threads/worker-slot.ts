/**
 * One position of a `ZeroMQWorkerThreads`: its thread (or process), and the worker that routers see.
 * A thread that ends unexpectedly is restarted with backoff.
 */
import type { Logger } from '../../core/logging/logging.ts';
import { toError, ZeroMQError } from '../../core/messages/errors.ts';
import type { LifecycleState } from '../../core/observability/diagnostics.ts';
import { Backoff } from '../../core/time/backoff.ts';
import { type Cancel, systemClock } from '../../core/time/clock.ts';
import { RoutedWorker, type RoutedWorkerOptions } from '../routed-worker.ts';
import type { ModuleHost } from './module-host.ts';
import type { ModuleHosting } from './module-report.ts';
import { type Isolation, newHost } from './new-host.ts';
import { revived } from './new-thread.ts';
import { newPulse, PulseWatch } from './pulse.ts';
import { ThreadExecutor } from './thread-executor.ts';
import { type FromThread, isPosted, type ThreadSetup, type ToThread } from './thread-messages.ts';

/** The data and callbacks that the slots of a group share. */
export interface SlotGroup {
  readonly setup: Omit<ThreadSetup, 'pulse'>;
  readonly threadStallTimeout: number;
  /** Where threads that start from now on run. */
  isolation: Isolation;
  /** The connections of each worker. */
  readonly connections: Omit<RoutedWorkerOptions, 'announcement'>;
  readonly configFile: string | undefined;
  /** How the modules run while they are developed. */
  readonly hosting: ModuleHosting | undefined;
  readonly logger: Logger;
  /** For the log entries of the threads. Each entry already names its source in the thread. */
  readonly threadLogger: Logger;
  state(): LifecycleState;
  ready(thread: number, identity: string, restarts: number): void;
  crashed(thread: number, error: Error, delay: number): void;
  rejected(thread: number, endpoint: string, reason: string): void;
}

/** A worker whose handlers run in a thread. */
class ThreadedWorker extends RoutedWorker {
  /** Settles all requests in the thread, after the thread has ended. */
  abandon(error: Error): Promise<void> {
    return this.cut(error);
  }
}

type ReadyMessage = Extract<FromThread, { type: 'ready' }>;

/** If a thread ran for this long, in ms, its crash resets the backoff. */
const HEALTHY_AFTER = 10_000;

/**
 * Maximum number of requests that a thread holds beyond its concurrency when no router limits them.
 */
const MAX_QUEUE = 10_000;

export class WorkerSlot {
  private readonly backoff = new Backoff({ max: 30_000 });
  private thread: ModuleHost | undefined;
  /** Set while its thread runs. */
  private worker: ThreadedWorker | undefined;
  /** A worker of this slot has been running before. */
  private wasReady = false;
  private restarts = 0;
  private cancelTimer: Cancel | undefined;

  constructor(
    private readonly index: number,
    private readonly group: SlotGroup,
  ) {}

  /** Whether the thread is running. */
  get running(): boolean {
    return this.thread !== undefined;
  }

  /**
   * Starts the thread and its worker. Resolves when both are running; rejects if the thread ends
   * before.
   */
  start(): Promise<void> {
    const { group } = this;
    const pulse = newPulse(group.threadStallTimeout);
    const { hosting } = group;
    const inspectPort = hosting?.inspectPorts?.[this.index];
    const thread = newHost(group.isolation, { ...group.setup, pulse }, { env: hosting?.env, inspectPort });
    this.thread = thread;
    const startedAt = systemClock.now();
    let executor: ThreadExecutor | undefined;
    let failure: Error | undefined;
    let moving = false;
    return new Promise((resolve, reject) => {
      const ready = (): void => {
        this.wasReady = true;
        resolve();
      };
      const failed = (error: unknown): void => {
        failure ??= toError(error);
        void thread.terminate();
      };
      const watch = new PulseWatch(pulse, () => {
        executor = undefined;
        failed(this.stalled());
      });
      thread.on('message', (message: FromThread) => {
        if (isPosted(message)) executor?.received(message);
        else if (message.type === 'needs-process') {
          if (!moving) void this.moveToProcess(thread);
          moving = true;
        } else if (message.type === 'ready') {
          executor = new ThreadExecutor(thread, message.concurrency + MAX_QUEUE);
          this.startWorker(executor, message).then(ready, failed);
          watch.start();
        } else if (message.type !== 'log') hosting?.onReport(message);
        else group.threadLogger[message.level]({ ...message.fields, thread: this.index }, message.message);
      });
      thread.on('error', (error) => {
        failure = revived(error);
      });
      thread.on('exit', (code) => {
        watch.stop();
        if (moving && this.groupIsStarted) {
          this.thread = undefined;
          this.worker = undefined;
          this.start().then(ready, reject);
          return;
        }
        const error = failure ?? new ZeroMQError('THREAD_EXIT', `the thread ended with exit code ${code}`);
        this.ended(error, systemClock.now() - startedAt);
        reject(error);
      });
    });
  }

  /** Cancels a pending restart. */
  cancelRestart(): void {
    this.cancelTimer?.();
  }

  /** Drains the worker, then ends its thread. */
  async retire(deadline: number | undefined): Promise<void> {
    const { thread } = this;
    if (thread === undefined) return;
    const exit = new Promise((resolve) => thread.once('exit', resolve));
    await this.worker?.stop({ deadline });
    const stop: ToThread = { type: 'stop' };
    thread.postMessage(stop);
    await exit;
  }

  /** Settles all requests in the thread without waiting for it. */
  async abandon(error: Error): Promise<void> {
    await this.worker?.abandon(error);
  }

  async terminate(): Promise<void> {
    await this.thread?.terminate();
  }

  private get groupIsStarted(): boolean {
    const state = this.group.state();
    return state === 'running' || state === 'starting';
  }

  /** Connects the worker of the thread to the routers. */
  private async startWorker(executor: ThreadExecutor, ready: ReadyMessage): Promise<void> {
    if (!this.groupIsStarted) return;
    const { group, index } = this;
    const { announcement, concurrency, maxStreams } = ready;
    const { maxMessageSize } = group.setup;
    const { configFile } = group;
    const logger = group.logger.child({ thread: index });
    const parts = { executor, concurrency, maxStreams, maxMessageSize, configFile, logger };
    const worker = new ThreadedWorker('worker', parts, { ...group.connections, announcement });
    this.worker = worker;
    worker.on('rejected', (endpoint, reason) => group.rejected(index, endpoint, reason));
    await worker.start();
    group.ready(index, worker.identity.identity, this.restarts);
  }

  /**
   * Replaces a thread whose module opens sockets: it finishes its requests, and a process takes its
   * place.
   */
  private async moveToProcess(thread: ModuleHost): Promise<void> {
    const { group, index, worker } = this;
    if (group.isolation === 'thread') {
      const message = 'the worker module opens ZeroMQ sockets: the worker moves to a process';
      group.logger.info({ thread: index }, message);
    }
    group.isolation = 'process';
    await worker?.stop();
    await thread.terminate();
  }

  /**
   * Handles a stalled thread. Routers learn that its worker is lost, even if native code keeps the
   * thread from ending.
   */
  private stalled(): Error {
    const { threadStallTimeout, logger } = this.group;
    const message = `the event loop of the thread was blocked for more than ${threadStallTimeout} ms`;
    const error = new ZeroMQError('THREAD_STALLED', message);
    logger.error(
      { err: error, thread: this.index },
      'a handler blocks a worker thread: the thread is terminated and restarted',
    );
    this.dropWorker(error);
    return error;
  }

  /** Handles the end of the thread. It restarts if its worker has been running before. */
  private ended(error: Error, livedFor: number): void {
    this.thread = undefined;
    this.dropWorker(error);
    const state = this.group.state();
    if (state === 'running' || (state === 'starting' && this.wasReady)) this.restartLater(error, livedFor);
  }

  private dropWorker(error: Error): void {
    void this.worker?.abandon(error);
    this.worker = undefined;
  }

  private restartLater(error: Error, livedFor: number): void {
    const { group, index } = this;
    if (livedFor > HEALTHY_AFTER) this.backoff.reset();
    const delay = this.backoff.next();
    group.logger.error(
      { err: error, thread: index, delay },
      'a worker thread has ended unexpectedly: it will be restarted',
    );
    group.crashed(index, error, delay);
    // The timer is not unref'd: after the end of the last thread nothing else keeps the process
    // alive.
    const timer = setTimeout(() => {
      this.cancelTimer = undefined;
      this.restarts += 1;
      // The exit of a thread that ends before it is ready was already handled; the next attempt is
      // scheduled.
      this.start().catch(() => undefined);
    }, delay);
    this.cancelTimer = () => clearTimeout(timer);
  }
}
