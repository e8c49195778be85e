/**
 * Runs stored requests: start (stored) → dispatched → outcome (stored). A request that was not
 * dispatched goes back to *accepted* and is tried again; `outcome.ts` decides about the others. Each
 * change is stored before the next step, so that a crash between two steps never leads to a second
 * execution of a request that is not idempotent.
 */
import { ReleasingMap } from '../../core/collections/releasing-map.ts';
import { toError } from '../../core/messages/errors.ts';
import { failure, type ReplyMessage } from '../../core/messages/message.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { Outcome } from '../../store/index.ts';
import { problemOfReply } from '../common/problem.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import type { StoreService } from '../durable/store-service.ts';
import { storableProblem, storableReply } from '../response/stored-reply.ts';
import type { Route } from '../routing/route.ts';
import { Execution, type Runnable } from './execution.ts';
import { endingOf } from './outcome.ts';

/** First and longest wait before a request is tried again, in ms. */
const RETRY = { first: 250, max: 10_000 };

/** How often a request may lose its worker: it may be what ends the workers. */
const MAX_LOSSES = 3;

/** How long a router may take to give a request back, in ms. */
const WITHDRAWAL = 1000;

/** What a runner works with. */
export interface RunnerParts {
  readonly gateway: GatewayContext;
  readonly store: StoreService;
  readonly clock: Clock;
  /** Finds the route of an operation, such as `POST /reports`. Contracts may arrive after the start. */
  readonly routeOf: (operation: string, event: string) => Route | undefined;
  /** Called when a request has begun or ended. */
  readonly onChange: () => void;
}

export class Runner {
  private readonly executions = new ReleasingMap<string, Execution>();
  private draining = false;

  constructor(private readonly parts: RunnerParts) {}

  /** Number of requests that this gateway holds. */
  get size(): number {
    return this.executions.size;
  }

  /** Whether a request of an operation can be dispatched now. */
  canDispatch(operation: string, event: string): boolean {
    const { gateway, routeOf } = this.parts;
    return gateway.requester.reachable && routeOf(operation, event) !== undefined;
  }

  /**
   * Runs a request that this gateway holds.
   * @param started whether the store knows already that it may have been dispatched.
   */
  run(runnable: Runnable, started: boolean): void {
    const execution = this.add(runnable, started);
    void this.attempt(execution);
  }

  /** Ends a request that another gateway has dispatched. */
  end(runnable: Runnable, state: 'cancelled' | 'unknown'): void {
    const execution = this.add(runnable, true);
    execution.ended = true;
    void this.finish(execution, state === 'cancelled' ? CANCELLED : UNKNOWN);
  }

  /** A request has ended in the store, or another gateway has it. */
  drop(id: string): void {
    const execution = this.executions.get(id);
    if (execution === undefined || execution.ended) return;
    execution.stop();
    this.parts.store.drop(id);
    this.forget(execution);
  }

  /** Tries no request again. Those that are not in flight stay in the store. */
  drain(): void {
    this.draining = true;
    for (const execution of [...this.executions.values()]) {
      if (execution.cancelRetry === undefined) continue;
      execution.stop();
      this.forget(execution);
    }
  }

  /**
   * Gives up the requests in flight. Another gateway runs those that are idempotent, or that their
   * router has not dispatched; the outcome of the others is unknown.
   */
  async giveUp(): Promise<void> {
    const rest = [...this.executions.values()].filter(({ ended }) => !ended);
    await Promise.all(rest.map((execution) => this.leave(execution)));
  }

  private async leave(execution: Execution): Promise<void> {
    const { hold, idempotent, started } = execution;
    const current = this.parts.store.current(hold);
    let isQueued = execution.isDoubtful || execution.inFlight?.dispatched === false;
    if (started && !idempotent && !isQueued) {
      const reply = await this.withdraw(execution);
      if (execution.ended) return;
      isQueued = reply?.dispatched === false;
      if (reply?.dispatched === true && reply.code !== 'CANCELLED') {
        this.settle(execution, reply);
        return;
      }
    }
    execution.stop();
    if (started && !idempotent && !isQueued) {
      await this.finish(execution, UNKNOWN);
      return;
    }
    if (isQueued) await this.parts.store.use((store) => store.requeue(current)).catch(() => undefined);
    this.forget(execution);
  }

  /** Takes a request back from its router. Resolves with undefined if the router does not answer. */
  private withdraw(execution: Execution): Promise<ReplyMessage | undefined> {
    const { inFlight } = execution;
    if (inFlight?.withdraw === undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const cancel = this.parts.clock.after(WITHDRAWAL, () => resolve(undefined));
      execution.onWithdrawn = (reply) => {
        cancel();
        resolve(reply);
      };
      inFlight.withdraw?.();
    });
  }

  private add(runnable: Runnable, started: boolean): Execution {
    const { clock, store, onChange } = this.parts;
    const execution = new Execution(runnable, clock.now() + runnable.timeout, started);
    this.executions.set(execution.id, execution);
    store.keep(runnable.hold, {
      cancel: () => this.cancel(execution),
      lost: () => this.lost(execution),
    });
    onChange();
    return execution;
  }

  /** The caller or an operator has cancelled a request. */
  private cancel(execution: Execution): void {
    if (execution.ended) return;
    execution.cancelled = true;
    // Without either, a step is being stored, and what follows it sees that it was cancelled.
    if (execution.inFlight === undefined && execution.cancelRetry === undefined) return;
    execution.stop();
    void this.finish(execution, CANCELLED);
  }

  private lost(execution: Execution): void {
    if (execution.ended) return;
    const { id, event } = execution;
    this.parts.gateway.logger.warn({ id, event }, 'another gateway has taken over a request, or ended it');
    execution.stop();
    this.forget(execution);
  }

  private async attempt(execution: Execution): Promise<void> {
    const { gateway, store, routeOf } = this.parts;
    const { hold, event, metadata } = execution;
    const { operation } = metadata;
    execution.route = routeOf(operation, event) ?? execution.route;
    if (!gateway.requester.reachable)
      return this.postpone(execution, failure('NO_ROUTER', 'no router is reachable'));
    if (execution.route === undefined)
      return this.postpone(execution, failure('NO_WORKER', `no worker has announced ${operation}`));
    try {
      if (execution.isDoubtful) {
        await store.use((one) => one.requeue(store.current(hold)));
        execution.isDoubtful = false;
        execution.started = false;
      }
      if (!execution.started && !(await store.use((one) => one.start(store.current(hold))))) {
        // Its caller has cancelled it, or another gateway has it.
        this.drop(execution.id);
        return;
      }
    } catch {
      // It must not be dispatched before the store has it as running.
      execution.started = true;
      execution.isDoubtful = true;
      this.requeue(execution, failure('BUSY', 'the store cannot be used'));
      return;
    }
    execution.started = true;
    if (execution.ended) {
      // The gateway gave it up meanwhile. Another one runs it.
      store.use((one) => one.requeue(store.current(hold))).catch(() => undefined);
    } else if (execution.cancelled) {
      execution.ended = true;
      void this.finish(execution, CANCELLED);
    } else if (this.draining) this.requeue(execution, failure('SHUTTING_DOWN', 'the gateway shuts down'));
    else this.dispatch(execution);
  }

  /** Tries again later a request that this attempt did not dispatch. */
  private postpone(execution: Execution, reply: ReplyMessage): void {
    // Its outcome would be unknown if this gateway ended now.
    if (execution.started) this.requeue(execution, reply);
    else this.again(execution, reply);
  }

  private dispatch(execution: Execution): void {
    const { event: eventName, data: body, metadata, idempotent, deadline } = execution;
    const { requestId, extras } = metadata;
    const timeout = Math.max(1, Math.round(deadline - this.parts.clock.now()));
    const onProgress = (json: Buffer): void => this.onProgress(execution, json);
    const outgoing = { eventName, body, timeout, idempotent, requestId, extras, onProgress };
    const { requester, logger } = this.parts.gateway;
    try {
      execution.inFlight = requester.request(outgoing, (reply) => {
        execution.inFlight = undefined;
        if (execution.onWithdrawn !== undefined) execution.onWithdrawn(reply);
        else if (!execution.ended) this.settle(execution, reply);
      });
    } catch (error) {
      logger.error({ err: toError(error), id: execution.id }, 'cannot send a stored request');
      this.settle(execution, failure('NO_ROUTER', 'the gateway cannot send the request'));
    }
  }

  private settle(execution: Execution, reply: ReplyMessage): void {
    const ending = endingOf(reply, execution.idempotent);
    if (ending === 'again' && !(reply.dispatched && (execution.losses += 1) >= MAX_LOSSES)) {
      this.requeue(execution, reply);
      return;
    }
    execution.ended = true;
    const outcome =
      ending === 'unknown'
        ? { ...UNKNOWN, code: reply.code }
        : this.outcomeOf(execution, ending === 'again' ? 'failed' : ending, reply);
    void this.finish(execution, outcome);
  }

  /** Stores that a request was not dispatched, or may run twice, and tries it again later. */
  private requeue(execution: Execution, reply: ReplyMessage): void {
    void this.parts.store
      .use((store) => store.requeue(this.parts.store.current(execution.hold)))
      .then(
        () => {
          // If it is not held, or was cancelled, the next attempt cannot start it.
          execution.started = false;
          execution.isDoubtful = false;
        },
        // The store may have it as *accepted* or as *running*.
        () => {
          execution.isDoubtful = true;
        },
      )
      .then(() => this.again(execution, reply));
  }

  /** Tries a request again after a while. */
  private again(execution: Execution, reply: ReplyMessage): void {
    if (execution.ended) return;
    const { clock } = this.parts;
    const wait = Math.min(RETRY.first * 2 ** Math.min(execution.retries, 10), RETRY.max);
    const isLate = clock.now() + wait >= execution.deadline;
    if (execution.cancelled || isLate) {
      execution.ended = true;
      void this.finish(
        execution,
        execution.cancelled ? CANCELLED : this.outcomeOf(execution, 'failed', reply),
      );
    } else if (this.draining) {
      execution.ended = true;
      this.forget(execution);
    } else {
      execution.retries += 1;
      execution.cancelRetry = clock.after(wait, () => {
        execution.cancelRetry = undefined;
        void this.attempt(execution);
      });
    }
  }

  /** Stores the latest progress. While one is being stored, later ones replace each other. */
  private onProgress(execution: Execution, json: Buffer): void {
    execution.progress = String(json);
    if (execution.storesProgress) return;
    execution.storesProgress = true;
    void this.storeProgress(execution);
  }

  private async storeProgress(execution: Execution): Promise<void> {
    while (execution.progress !== undefined && !execution.ended) {
      const { hold, progress } = execution;
      execution.progress = undefined;
      // A failure does not matter: the next progress replaces this one.
      const { store } = this.parts;
      await store.use((one) => one.progress(store.current(hold), progress)).catch(() => undefined);
    }
    execution.storesProgress = false;
  }

  private outcomeOf(execution: Execution, state: 'succeeded' | 'failed', reply: ReplyMessage): Outcome {
    const { gateway } = this.parts;
    const { metadata, route } = execution;
    const { code } = reply;
    const context = { gateway, route: route as Route, requestId: metadata.requestId, baseUrl: '' };
    const represented =
      code === ''
        ? storableReply(context, reply)
        : problemOfReply(reply, (pointer) => route?.httpPointer(pointer) ?? pointer);
    if (!('title' in represented)) return this.limited(state, represented);
    // Without a route, nothing was dispatched, and the problem has no headers of a worker.
    const result = storableProblem(context, represented, route === undefined ? undefined : reply);
    return { ...this.limited('failed', result), code: represented.code };
  }

  private limited(state: 'succeeded' | 'failed', result: NonNullable<Outcome['result']>): Outcome {
    const isTooLarge = result.body.length > this.parts.gateway.settings.stored.result;
    return isTooLarge ? { state, code: 'RESULT_TOO_LARGE' } : { state, code: '', result };
  }

  /** Stores an outcome. If the store cannot be used now, it repeats that until it can. */
  private async finish(execution: Execution, outcome: Outcome): Promise<void> {
    const { store, gateway } = this.parts;
    const { hold, progress, id } = execution;
    // Changes of one request are stored in this order.
    if (progress !== undefined) {
      store.use((one) => one.progress(store.current(hold), progress)).catch(() => undefined);
    }
    try {
      await store.finish(hold, outcome);
    } catch (error) {
      gateway.logger.error({ err: toError(error), id }, 'cannot store the outcome of a request');
    }
    this.forget(execution);
  }

  private forget(execution: Execution): void {
    if (this.executions.get(execution.id) === execution) this.executions.take(execution.id);
    this.parts.onChange();
  }
}

const CANCELLED: Outcome = { state: 'cancelled', code: 'CANCELLED' };
const UNKNOWN: Outcome = { state: 'unknown', code: 'GATEWAY_LOST' };
