/**
 * One position of a `ZeroMQWorkerThreads`: its thread (or process), and the worker that routers see.
 * A thread that ends unexpectedly is restarted with backoff.
 */
import type { Logger } from '../../core/logging/logging.ts';
import { toError, ZeroMQError } from '../../core/messages/errors.ts';
import type { LifecycleState } from '../../core/observability/diagnostics.ts';
import { Backoff } from '../../core/time/backoff.ts';
import { type Cancel, systemClock } from '../../core/time/clock.ts';
import type { Target } from '../../transport/addressing/targets.ts';
import { RoutedWorker, type RoutedWorkerOptions } from '../routed-worker.ts';
import type { RouterAccessReport } from '../router-access.ts';
import type { ModuleHost } from './module-host.ts';
import type { ModuleHosting } from './module-report.ts';
import { type Isolation, newHost } from './new-host.ts';
import { revived } from './new-thread.ts';
import { newPulse, PulseWatch } from './pulse.ts';
import { RetiredThreads } from './retired-threads.ts';
import { StallWatch } from './stall-limits.ts';
import { type HeldRequest, ThreadExecutor } from './thread-executor.ts';
import { type FromThread, isPosted, type ThreadSetup, type ToThread } from './thread-messages.ts';

/** The data and callbacks that the slots of a group share. */
export interface SlotGroup {
  readonly setup: Omit<ThreadSetup, 'pulse'>;
  readonly threadStallTimeout: number;
  /** Where threads that start from now on run. */
  isolation: Isolation;
  /** The connections of each worker. */
  connections: Omit<RoutedWorkerOptions, 'announcement'>;
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
  /** A router has accepted the worker of a thread, for the first time since the thread started. */
  accepted(thread: number): void;
}

/** State of a thread and of its worker. */
export interface ThreadReport {
  /** Whether the thread runs. */
  readonly running: boolean;
  /** Number of requests that its worker holds. */
  readonly load: number;
  /** Maximum number of requests that run at a time; 0 while there is no worker. */
  readonly concurrency: number;
  /** The connections of its worker to the routers. */
  readonly routers: readonly RouterAccessReport[];
}

/** A worker whose handlers run in a thread. */
class ThreadedWorker extends RoutedWorker {
  /** Settles all requests in the thread, after the thread has ended. */
  abandon(error: Error): Promise<void> {
    return this.cut(error);
  }
}

/** A thread from its start to its end. */
interface ThreadRun {
  readonly thread: ModuleHost;
  readonly watch: PulseWatch;
  executor?: ThreadExecutor | undefined;
  stalls?: StallWatch;
  failure?: Error;
  /** A process takes its place. */
  moving: boolean;
  /** Another thread has taken its place. */
  replaced: boolean;
}

type ReadyMessage = Extract<FromThread, { type: 'ready' }>;

/** Maximum number of requests that the log names when their thread is blocked. */
const MAX_NAMED = 20;

/** How long a thread with a handler that hangs may take for its other requests, in ms. */
const RETIREMENT = 5000;

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
  private readonly retired = new RetiredThreads();
  /** A worker of this slot has been running before. */
  private wasReady = false;
  private restarts = 0;
  private cancelTimer: Cancel | undefined;

  constructor(
    private readonly index: number,
    private readonly group: SlotGroup,
  ) {}

  report(): ThreadReport {
    const { thread, worker } = this;
    return {
      running: thread !== undefined,
      load: worker?.load ?? 0,
      concurrency: worker?.capacity ?? 0,
      routers: worker?.routerAccess ?? [],
    };
  }

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
    return new Promise((resolve, reject) => {
      const ready = (): void => {
        this.wasReady = true;
        resolve();
      };
      const failed = (error: unknown): void => {
        run.failure ??= toError(error);
        void thread.terminate();
      };
      const watch = new PulseWatch(pulse, () => {
        const held = run.executor?.holding() ?? [];
        run.executor = undefined;
        failed(this.stalled(held));
      });
      const run: ThreadRun = { thread, watch, moving: false, replaced: false };
      thread.on('message', (message: FromThread) => {
        if (isPosted(message)) run.executor?.received(message);
        else if (message.type === 'needs-process') {
          if (!run.moving) void this.moveToProcess(thread);
          run.moving = true;
        } else if (message.type === 'ready')
          this.startWorker(this.execute(run, message), message).then(ready, failed);
        else if (message.type !== 'log') hosting?.onReport(message);
        else group.threadLogger[message.level]({ ...message.fields, thread: this.index }, message.message);
      });
      thread.on('error', (error) => {
        run.failure = revived(error);
      });
      thread.on('exit', (code) => {
        watch.stop();
        run.stalls?.stop();
        if (run.replaced) return;
        if (run.moving && this.groupIsStarted) {
          this.thread = undefined;
          this.worker = undefined;
          this.start().then(ready, reject);
          return;
        }
        const error =
          run.failure ?? new ZeroMQError('THREAD_EXIT', `the thread ended with exit code ${code}`);
        this.ended(error, systemClock.now() - startedAt);
        reject(error);
      });
    });
  }

  /** Replaces the routers of the worker. */
  useRouters(targets: readonly Target[]): void {
    this.worker?.useRouters(targets);
  }

  /** Cancels a pending restart. */
  cancelRestart(): void {
    this.cancelTimer?.();
  }

  /** Drains the worker, then ends its thread. */
  async retire(deadline: number | undefined): Promise<void> {
    const { thread } = this;
    if (thread === undefined) return this.retired.ended();
    const exit = new Promise((resolve) => thread.once('exit', resolve));
    await this.worker?.stop({ deadline });
    const stop: ToThread = { type: 'stop' };
    thread.postMessage(stop);
    await Promise.all([exit, this.retired.ended()]);
  }

  /** Settles all requests in the thread without waiting for it. */
  async abandon(error: Error): Promise<void> {
    await Promise.all([this.worker?.abandon(error), this.retired.abandon(error)]);
  }

  async terminate(): Promise<void> {
    await Promise.all([this.thread?.terminate(), this.retired.terminate()]);
  }

  private get groupIsStarted(): boolean {
    const state = this.group.state();
    return state === 'running' || state === 'starting';
  }

  /** Creates the executor of a thread, and starts to watch the thread. */
  private execute(run: ThreadRun, { concurrency, stallLimits }: ReadyMessage): ThreadExecutor {
    const { thread, watch } = run;
    const executor = new ThreadExecutor(thread, concurrency + MAX_QUEUE);
    run.executor = executor;
    watch.start();
    if (stallLimits === undefined) return executor;
    const stalls = new StallWatch(
      stallLimits,
      () => executor.holding(),
      (hung) => {
        const { worker } = this;
        if (worker === undefined || !this.groupIsStarted) return;
        run.replaced = true;
        watch.stop();
        executor.giveUp(stalls.isHung);
        this.replace(thread, worker, hung);
      },
    );
    run.stalls = stalls;
    return executor;
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
    void worker.accepted.then(() => group.accepted(index));
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
   * Replaces a thread whose handler hangs. The thread receives no more requests, and has a moment to
   * finish the others.
   */
  private replace(thread: ModuleHost, worker: ThreadedWorker, hung: HeldRequest): void {
    const { group, index } = this;
    const { event, requestId, heldFor } = hung;
    const message = `a handler of ${event} has held a request for ${heldFor} ms`;
    group.logger.error(
      { thread: index, event, requestId, heldFor },
      `${message} (${requestId || 'without an id'}): its thread is replaced`,
    );
    this.thread = undefined;
    this.worker = undefined;
    this.retired.add(thread, worker, RETIREMENT);
    group.crashed(index, new ZeroMQError('THREAD_STALLED', message), 0);
    this.restarts += 1;
    // A thread that ends before it is ready is restarted by its exit.
    this.start().catch(() => undefined);
  }

  /**
   * Handles a stalled thread. Routers learn that its worker is lost, even if native code keeps the
   * thread from ending.
   */
  private stalled(held: readonly HeldRequest[]): Error {
    const { threadStallTimeout, logger } = this.group;
    const message = `the event loop of the thread was blocked for more than ${threadStallTimeout} ms`;
    const error = new ZeroMQError('THREAD_STALLED', message);
    // The thread cannot say which of them blocks it; it is one of those that have begun.
    const [oldest] = held;
    const which = oldest && ` (oldest request: ${oldest.event}, ${oldest.requestId || 'without an id'})`;
    logger.error(
      { err: error, thread: this.index, requests: held.slice(0, MAX_NAMED), held: held.length },
      `a handler blocks a worker thread${which ?? ''}: the thread is terminated and restarted`,
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
