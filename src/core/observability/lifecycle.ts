/**
 * The life of a node, in one place for client, router, worker, server and gateway.
 *
 * | state    | left for                  | what goes on                                            |
 * |----------|---------------------------|---------------------------------------------------------|
 * | idle     | starting, closed          | made, nothing opened                                    |
 * | starting | running, draining, closed | `open` runs; closed when it fails                       |
 * | running  | draining, closed          | serves                                                  |
 * | draining | closed                    | takes nothing new, `drain` finishes what the node holds |
 * | closed   | –                         | takes nothing more; `release` frees sockets and timers  |
 */

import { withResolvers } from '../collections/deferred.ts';
import type { Logger } from '../logging/logging.ts';
import { toError, ZeroMQError } from '../messages/errors.ts';
import type { Clock } from '../time/clock.ts';
import { systemClock } from '../time/clock.ts';
import { type DiagnosticsSource, diagnostics, type LifecycleState } from './diagnostics.ts';
import { logFact } from './node-facts.ts';

/** The legal transitions; any other is a fault of the framework and throws. */
const NEXT: Readonly<Record<LifecycleState, readonly LifecycleState[]>> = {
  idle: ['starting', 'closed'],
  starting: ['running', 'draining', 'closed'],
  running: ['draining', 'closed'],
  draining: ['closed'],
  closed: [],
};

/** Called for each node that is made; shared by all copies of this package that a thread has loaded. */
const NODE_CREATED = Symbol.for('zeromq-gateway.node-created');
const shared = globalThis as { [NODE_CREATED]?: () => void };

/** Calls `listener` for each node made in this thread from now on. It may throw to keep the node from being made. */
export function onNodeCreated(listener: () => void): void {
  shared[NODE_CREATED] = listener;
}

/** What a node does at the turns of its life. */
export interface LifecycleHooks<Opened> {
  /** Where the node logs that it started and stopped. Default: nowhere. */
  readonly logger?: Logger;
  /** Opens sockets. `signal` aborts when the node is closed meanwhile: it must end soon then, either way. */
  open(signal: AbortSignal): Promise<Opened>;
  /** Finishes what is in flight. `signal` aborts at the deadline; nobody waits for it any longer then. */
  drain(signal: AbortSignal): Promise<void>;
  /** Frees everything and settles what still waits. Called exactly once, after `open` ended, even if it failed. */
  release(error: Error | undefined): void | Promise<void>;
}

/** Runs a node's hooks in the right order, whatever is called when. All its methods may be called at any time. */
export class Lifecycle<Opened = void> {
  /**
   * Settles once, when everything is freed: with the error that ended the node or cut its draining, else with
   * undefined. Never rejects.
   */
  readonly closed: Promise<Error | undefined>;

  private readonly freed = withResolvers<Error | undefined>();
  private readonly opening = new AbortController();
  private readonly draining = new AbortController();
  private current: LifecycleState = 'idle';
  private started: Promise<Opened> | undefined;
  private openEnded: Promise<unknown> = Promise.resolve();

  /** @param speaker who this is, for diagnostics and messages; read at each use. */
  constructor(
    private readonly speaker: DiagnosticsSource,
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
   * Opens the node. A second call gives the same promise. A node whose start failed is closed.
   *
   * @throws what `open` throws; ZeroMQError with code `CLOSED` when the node is closed, or gets closed meanwhile.
   */
  start(): Promise<Opened> {
    if (this.current === 'draining' || this.current === 'closed') return Promise.reject(this.closedError());
    this.started ??= this.open();
    return this.started;
  }

  /**
   * Drains and closes. Resolves when everything is freed; a second call waits for the first.
   *
   * @param deadline ms for what is in flight; what is left then is cut.
   */
  async close(deadline = 10_000): Promise<void> {
    if (this.current === 'idle') await this.end(undefined);
    if (this.current === 'starting' || this.current === 'running') await this.drain(deadline);
    await this.closed;
  }

  /** Cuts: nothing in flight is finished. Resolves when everything is freed. */
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
      const { kind, node } = this.speaker;
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

  /** The one way to `closed`. */
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
    const { kind, node: id } = this.speaker;
    this.log(err === undefined ? { id } : { id, err }, `${kind} stopped`);
  }

  private log(fields: object, message: string): void {
    if (this.hooks.logger !== undefined) logFact(this.hooks.logger, fields, message);
  }

  /** The one setter of the state. */
  private to(next: LifecycleState, error?: Error): void {
    const from = this.current;
    const { kind, node } = this.speaker;
    if (!NEXT[from].includes(next)) {
      throw new ZeroMQError('ILLEGAL_TRANSITION', `${kind} ${node} cannot go from ${from} to ${next}`);
    }
    this.current = next;
    if (diagnostics.lifecycle.hasSubscribers) {
      diagnostics.lifecycle.publish({ kind, node, from, to: next, error });
    }
    if (next === 'running') this.log({ id: node }, `${kind} started`);
  }

  private closedError(): ZeroMQError {
    const { kind, node } = this.speaker;
    return new ZeroMQError('CLOSED', `${kind} ${node} is closed; make a new one to start again`);
  }
}

/** Rejects with the reason of the signal when it aborts. */
function rejectedBy(signal: AbortSignal): Promise<never> {
  const { promise, reject } = withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  promise.catch(() => undefined);
  return promise;
}
