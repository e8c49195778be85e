/**
 * The lifecycle of a node, shared by client, router, worker, server and gateway.
 *
 * | state    | next states               | activity                                              |
 * |----------|---------------------------|-------------------------------------------------------|
 * | idle     | starting, closed          | created; nothing is open                              |
 * | starting | running, draining, closed | `open` runs; the node closes if it fails              |
 * | running  | draining, closed          | serves requests                                       |
 * | draining | closed                    | accepts nothing new; `drain` finishes what is in flight |
 * | closed   | –                         | accepts nothing; `release` frees sockets and timers   |
 */

import { withResolvers } from '../collections/deferred.ts';
import type { Logger } from '../logging/logging.ts';
import { toError, ZeroMQError, ZeroMQSocketClosed } from '../messages/errors.ts';
import type { Clock } from '../time/clock.ts';
import { systemClock } from '../time/clock.ts';
import { type DiagnosticsSource, diagnostics, type LifecycleState } from './diagnostics.ts';
import { logFact } from './node-facts.ts';

/** The legal transitions; any other one is a bug of the framework and throws. */
const NEXT: Readonly<Record<LifecycleState, readonly LifecycleState[]>> = {
  idle: ['starting', 'closed'],
  starting: ['running', 'draining', 'closed'],
  running: ['draining', 'closed'],
  draining: ['closed'],
  closed: [],
};

/** Called for each node that is created; shared by all copies of this package in a thread. */
const NODE_CREATED = Symbol.for('zeromq-gateway.node-created');
const shared = globalThis as { [NODE_CREATED]?: () => void };

/**
 * Calls `listener` for each node created in this thread from now on. It may throw to prevent the
 * creation.
 */
export function onNodeCreated(listener: () => void): void {
  shared[NODE_CREATED] = listener;
}

/** Callbacks of a node for its lifecycle. */
export interface LifecycleHooks<Opened> {
  /** Logger for the start and stop of the node. Without one they are not logged. */
  readonly logger?: Logger;
  /**
   * Opens sockets. `signal` aborts when the node is closed meanwhile; `open` must then end soon.
   */
  open(signal: AbortSignal): Promise<Opened>;
  /**
   * Finishes what is in flight. `signal` aborts at the deadline, after which the result is ignored.
   */
  drain(signal: AbortSignal): Promise<void>;
  /**
   * Frees everything and settles what is left. Called exactly once after `open` ended, even if it
   * failed.
   */
  release(error: Error | undefined): void | Promise<void>;
}

/** Runs the callbacks of a node in the right order. All methods may be called in any state. */
export class Lifecycle<Opened = void> {
  /**
   * Resolves when everything is freed: with the error that ended the node or cut its draining
   * short, else with undefined. Never rejects.
   */
  readonly closed: Promise<Error | undefined>;

  private readonly freed = withResolvers<Error | undefined>();
  private readonly opening = new AbortController();
  private readonly draining = new AbortController();
  private current: LifecycleState = 'idle';
  private started: Promise<Opened> | undefined;
  private openEnded: Promise<unknown> = Promise.resolve();

  /** @param source the node, for diagnostics and messages; read at each use. */
  constructor(
    private readonly source: DiagnosticsSource,
    private readonly hooks: LifecycleHooks<Opened>,
    private readonly clock: Clock = systemClock,
  ) {
    this.closed = this.freed.promise;
    shared[NODE_CREATED]?.();
  }

  get state(): LifecycleState {
    return this.current;
  }

  /**
   * Opens the node. Repeated calls return the same promise. A node whose start fails is closed.
   *
   * @throws whatever `open` throws.
   * @throws {ZeroMQSocketClosed} with code `CLOSED` when the node is closed, or is closed while it starts.
   */
  start(): Promise<Opened> {
    if (this.current === 'draining' || this.current === 'closed') return Promise.reject(this.closedError());
    this.started ??= this.open();
    return this.started;
  }

  /**
   * Drains and closes the node. Resolves when everything is freed; a repeated call waits for the
   * first.
   *
   * @param deadline milliseconds for what is in flight; the rest is then cut.
   */
  async close(deadline = 10_000): Promise<void> {
    if (this.current === 'idle') await this.end(undefined);
    if (this.current === 'starting' || this.current === 'running') await this.drain(deadline);
    await this.closed;
  }

  /** Closes without draining. Resolves when everything is freed. */
  async destroy(error?: Error): Promise<void> {
    await this.end(error);
    await this.closed;
  }

  private async open(): Promise<Opened> {
    this.to('starting');
    try {
      const work = this.hooks.open(this.opening.signal);
      this.openEnded = work.catch(() => undefined);
      const opened = await work;
      if (this.current !== 'starting') throw this.closedError();
      this.to('running');
      return opened;
    } catch (error) {
      if (this.current === 'starting') await this.end(toError(error));
      throw error;
    }
  }

  private async drain(deadline: number): Promise<void> {
    const wasOpen = this.current === 'running';
    this.to('draining');
    this.opening.abort(this.closedError());
    const cancel = this.clock.after(deadline, () => {
      const { kind, node } = this.source;
      this.draining.abort(
        new ZeroMQError('DRAIN_TIMEOUT', `${kind} ${node} did not drain in ${deadline} ms`),
      );
    });
    let error: Error | undefined;
    try {
      const work = wasOpen ? this.hooks.drain(this.draining.signal) : this.openEnded;
      await Promise.race([work, rejectedBy(this.draining.signal)]);
    } catch (thrown) {
      error = toError(thrown);
    } finally {
      cancel();
    }
    await this.end(error);
  }

  /** The only path to `closed`. */
  private async end(error: Error | undefined): Promise<void> {
    if (this.current === 'closed') return;
    const ran = this.current === 'running' || this.current === 'draining';
    this.to('closed', error);
    this.opening.abort(this.closedError());
    this.draining.abort(error ?? this.closedError());
    await this.openEnded;
    let fault = error;
    try {
      await this.hooks.release(error);
    } catch (thrown) {
      fault ??= toError(thrown);
    }
    if (ran) this.logStop(fault);
    this.freed.resolve(fault);
  }

  private logStop(err: Error | undefined): void {
    const { kind, node: id } = this.source;
    this.log(err === undefined ? { id } : { id, err }, `${kind} stopped`);
  }

  private log(fields: object, message: string): void {
    if (this.hooks.logger !== undefined) logFact(this.hooks.logger, fields, message);
  }

  /** The only setter of the state. */
  private to(next: LifecycleState, error?: Error): void {
    const from = this.current;
    const { kind, node } = this.source;
    if (!NEXT[from].includes(next)) {
      throw new ZeroMQError('ILLEGAL_TRANSITION', `${kind} ${node} cannot go from ${from} to ${next}`);
    }
    this.current = next;
    if (diagnostics.lifecycle.hasSubscribers) {
      diagnostics.lifecycle.publish({ kind, node, from, to: next, error });
    }
    if (next === 'running') this.log({ id: node }, `${kind} started`);
  }

  private closedError(): ZeroMQSocketClosed {
    const { kind, node } = this.source;
    return new ZeroMQSocketClosed('CLOSED', `${kind} ${node} is closed; create a new one to start again`);
  }
}

/** Returns a promise that rejects with the reason of the signal when it aborts. */
function rejectedBy(signal: AbortSignal): Promise<never> {
  const { promise, reject } = withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  promise.catch(() => undefined);
  return promise;
}
