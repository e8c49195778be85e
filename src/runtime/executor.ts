/**
 * Runs handlers: bytes in, bytes out. Each request ends in exactly one reply, whatever its handler
 * does. At most `concurrency` requests run at a time; the others wait in a bounded queue. A queued
 * request runs only if it can still be answered in time (`core/time/lateness.ts`).
 *
 * A handler that waits on a call lends its slot, because the call may lead back to this executor.
 * Behind routers, they decide who gets it (`router/broker/lending.ts`). Without routers
 * (`sharesSlots`), only calls do, so that requests of clients never hold more than `concurrency`.
 */

import { AsyncResource } from 'node:async_hooks';
import { isUtf8 } from 'node:buffer';
import { LinkedList } from '../core/collections/linked-list.ts';
import { jsonReader, type LargeIntegers, type ReadJson } from '../core/json/large-integers.ts';
import type { Logger } from '../core/logging/logging.ts';
import { type CallSource, depthOf } from '../core/messages/calls.ts';
import { type CancelReason, cancelError } from '../core/messages/cancel-reason.ts';
import { toError } from '../core/messages/errors.ts';
import { failure, type ReplyMessage, type RequestMessage } from '../core/messages/message.ts';
import { activeTracing, type Tracing } from '../core/observability/tracing.ts';
import { type Clock, systemClock } from '../core/time/clock.ts';
import { RequestContext } from './context.ts';
import {
  type Execution,
  type ExecutionOwner,
  type ExecutionStream,
  HandlerExecution,
  type RequestExecutor,
} from './execution.ts';
import { ExecutionQueue, type ExecutionQueueLimits } from './execution-queue.ts';
import type { CallSettings } from './handler-calls.ts';
import { endSpan, traced } from './handler-span.ts';
import type { DataValidator, Handler, Handlers, MessageHandler } from './handlers.ts';
import { LateHandlers } from './late-handlers.ts';
import { Outcomes } from './outcomes.ts';
import { RunningStreams, type StreamExecutor, type StreamSettings } from './running-streams.ts';

/** Options of an {@link Executor}. */
export interface ExecutorOptions extends ExecutionQueueLimits, StreamSettings {
  readonly handlers?: Handlers;
  /** Handles events without an entry in `handlers`. */
  readonly handleMessage?: MessageHandler;
  readonly validator?: DataValidator;
  /** Type of integers beyond 2^53 in event data. */
  readonly largeIntegers?: LargeIntegers;
  /** Maximum number of requests that run at a time. */
  readonly concurrency: number;
  /** Whether calls alone use the slots that handlers lend: no router limits how many requests run. */
  readonly sharesSlots?: boolean;
  readonly logger: Logger;
  /**
   * Clock of the deadlines.
   *
   * @defaultValue the clock of the system
   */
  readonly clock?: Clock;
}

type RunHandler = (data: unknown, context: RequestContext) => unknown;

export class Executor implements RequestExecutor, ExecutionOwner, StreamExecutor {
  readonly clock: Clock;
  private readonly handlers = new Map<string, RunHandler>();
  private readonly fallback: RunHandler | undefined;
  private readonly readJson: ReadJson;
  private readonly waiting: ExecutionQueue;
  /** Calls that wait, if calls alone use the slots that handlers lend. */
  private readonly waitingCalls: ExecutionQueue;
  readonly callSettings: CallSettings;
  private lent = 0;
  /** Starts queued requests outside the asynchronous context of the handler that lends its slot. */
  private readonly pumpLater = AsyncResource.bind(() => queueMicrotask(() => this.pump()));
  private readonly running = new LinkedList<HandlerExecution>();
  private readonly late: LateHandlers;
  private readonly outcomes: Outcomes;
  private readonly streams: RunningStreams;
  private pumping = false;
  private readonly tracing: Tracing | undefined = activeTracing();
  private idle: (() => void) | undefined;

  /** @throws {ZeroMQConfigError} for an unknown value of `largeIntegers`. */
  constructor(private readonly options: ExecutorOptions) {
    this.readJson = jsonReader(options.largeIntegers);
    this.clock = options.clock ?? systemClock;
    this.late = new LateHandlers(this.running, options.logger, this.clock);
    this.outcomes = new Outcomes(options.maxReplyBytes, options.logger, this.late);
    this.streams = new RunningStreams(options, this.outcomes, this);
    for (const [eventName, handler] of Object.entries(options.handlers ?? {})) {
      this.handlers.set(eventName, handler as Handler);
    }
    const isNamed = (eventName: string): boolean => this.handlers.has(eventName);
    const settle = (execution: HandlerExecution, reply: ReplyMessage): void => this.settle(execution, reply);
    this.waiting = new ExecutionQueue(options, isNamed, settle, this.clock);
    this.waitingCalls = new ExecutionQueue(options, isNamed, settle, this.clock);
    const { readJson, tracing, clock } = this;
    this.callSettings = { readJson, tracing, clock, maxBytes: options.maxReplyBytes };
    const { handleMessage } = options;
    if (handleMessage !== undefined) {
      this.fallback = (eventData, context) =>
        handleMessage({ eventName: context.eventName, eventData }, context);
    }
  }

  get load(): number {
    return this.running.length + this.waiting.length + this.waitingCalls.length;
  }

  execute(
    message: RequestMessage,
    settle: (reply: ReplyMessage) => void,
    source?: CallSource,
    stream?: ExecutionStream,
  ): Execution {
    const execution = new HandlerExecution(message, settle, this, source, stream);
    if (this.hasSlot) this.start(execution);
    else this.startOrQueue(execution);
    return execution;
  }

  slotsLent(change: 1 | -1): void {
    this.lent += change;
    if (change > 0) this.slotFreed();
  }

  /** Whether a slot is free for any request. */
  private get hasSlot(): boolean {
    const lent = this.options.sharesSlots === true ? 0 : this.lent;
    return this.running.length - lent - this.streams.slotless < this.options.concurrency;
  }

  /** Whether a slot is free for a call. */
  private get hasLentSlot(): boolean {
    return this.running.length - this.lent - this.streams.slotless < this.options.concurrency;
  }

  private startOrQueue(execution: HandlerExecution): void {
    execution.queuedAsCall = this.options.sharesSlots === true && depthOf(execution.message.extras) > 0;
    if (execution.queuedAsCall && this.hasLentSlot) this.start(execution);
    else this.queueOf(execution).add(execution);
  }

  private queueOf({ queuedAsCall }: HandlerExecution): ExecutionQueue {
    return queuedAsCall ? this.waitingCalls : this.waiting;
  }

  drained(): Promise<void> {
    this.streams.drain(this.running);
    if (this.load === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.idle = resolve;
    });
  }

  close(reason: Error): void {
    for (const queue of [this.waiting, this.waitingCalls]) {
      for (const next of queue.drain()) {
        this.settle(next, failure('SHUTTING_DOWN', 'the node closed before the request ran'));
      }
    }
    const running = [...this.running];
    for (const execution of running) {
      this.late.ended(execution, 'stopped');
      this.abort(execution, reason);
    }
    this.late.close();
  }

  cancelled(execution: HandlerExecution, why: CancelReason): void {
    if (execution.state === 'running') {
      this.late.ended(execution, why);
      this.abort(execution, cancelError(why));
    }
    if (execution.state !== 'waiting') return;
    if (why === 'expired') this.queueOf(execution).expire(execution);
    else {
      this.queueOf(execution).remove(execution);
      const message = 'the request was cancelled before it ran';
      this.settle(execution, failure('CANCELLED', message, { dispatched: false }));
    }
  }

  private abort(execution: HandlerExecution, reason: Error): void {
    execution.context?.abort(reason);
    execution.upload?.fail(reason);
    execution.streamed?.cancel(execution.context?.cancelOutcome ?? 'CANCELLED');
  }

  private start(execution: HandlerExecution): void {
    const { eventName } = execution.message;
    const handler = this.handlers.get(eventName) ?? this.fallback;
    if (handler === undefined) {
      const name = JSON.stringify(eventName);
      this.settle(execution, failure('NO_HANDLER', `no handler for the event ${name}`));
      return;
    }
    const data = this.readData(execution);
    if (data !== INVALID) this.run(execution, handler, data);
  }

  /**
   * Parses and validates the data for the handler. Returns INVALID after it answered an invalid
   * request.
   */
  private readData(execution: HandlerExecution): unknown {
    let data: unknown;
    try {
      data = parse(execution.message.body, this.readJson);
    } catch (error) {
      const { message } = toError(error);
      const what = error instanceof RangeError ? 'cannot be read' : 'is not JSON';
      const text = `event data ${what}: ${message}`;
      this.settle(execution, failure('MALFORMED_MESSAGE', text));
      return INVALID;
    }
    return this.options.validator === undefined
      ? data
      : this.validated(execution, data, this.options.validator);
  }

  private validated(execution: HandlerExecution, data: unknown, validator: DataValidator): unknown {
    try {
      const checked = validator.validate(execution.message.eventName, data);
      if (checked.errors === undefined) return checked.value;
      const details = { errors: checked.errors };
      this.settle(execution, failure('INVALID_REQUEST', 'the event data breaks the contract', { details }));
    } catch (error) {
      this.settle(execution, this.outcomes.ofThrown(execution, error));
    }
    return INVALID;
  }

  private run(execution: HandlerExecution, handler: RunHandler, data: unknown): void {
    const context = new RequestContext(execution.message, execution.deadline, this.clock, execution);
    execution.context = context;
    execution.upload?.open();
    execution.timing?.start();
    if (this.waiting.length > 0) execution.startedAt = this.clock.now();
    execution.state = 'running';
    this.running.push(execution);
    const { tracing } = this;
    let result: unknown;
    let later: boolean;
    try {
      result =
        tracing === undefined
          ? handler(data, context)
          : traced(tracing, execution, () => handler(data, context));
      later = isThenable(result);
    } catch (error) {
      this.finish(execution, this.outcomes.ofThrown(execution, error));
      return;
    }
    if (!later) {
      this.complete(execution, result);
      return;
    }
    this.late.watch();
    void this.finishAsync(execution, result);
  }

  /**
   * `await` settles once, whatever the thenable does; a promise with overridden members cannot
   * bypass it.
   */
  private async finishAsync(execution: HandlerExecution, pending: unknown): Promise<void> {
    let result: unknown;
    try {
      result = await pending;
    } catch (error) {
      this.finish(execution, this.outcomes.ofThrown(execution, error));
      return;
    }
    this.complete(execution, result);
  }

  /** Answers a request whose handler returned. */
  private complete(execution: HandlerExecution, result: unknown): void {
    let reply: ReplyMessage;
    try {
      if (this.streams.start(execution, result)) {
        this.late.watch();
        return;
      }
      const whole = this.streams.whole(execution.message.eventName, result);
      reply = this.outcomes.ofResult(execution, whole);
    } catch (error) {
      reply = this.outcomes.badReply(execution, error);
    }
    this.finish(execution, reply);
  }

  slotFreed(): void {
    if (this.load > this.running.length) this.pumpLater();
  }

  answered(execution: HandlerExecution): void {
    const { startedAt } = execution;
    execution.startedAt = 0;
    if (startedAt > 0) this.waiting.record(execution, this.clock.now() - startedAt);
  }

  finish(execution: HandlerExecution, reply: ReplyMessage): void {
    endSpan(execution.span, reply);
    execution.context?.release();
    execution.upload?.fail(new Error('the handler has ended'));
    this.running.remove(execution);
    if (execution.isSlotless) this.streams.slotless -= 1;
    const { startedAt, deadline } = execution;
    const now = startedAt > 0 || deadline !== Infinity ? this.clock.now() : 0;
    if (startedAt > 0) this.waiting.record(execution, now - startedAt);
    if (execution.state !== 'settled') this.settle(execution, reply);
    if (execution.context?.isAborted === true || now > deadline) this.late.settled(execution);
    this.pump();
  }

  /**
   * Starts queued requests. Not recursive: a handler that ends at once would otherwise start the
   * next from within.
   */
  private pump(): void {
    if (this.pumping) return;
    this.pumping = true;
    for (let next = this.takeNext(); next !== undefined; next = this.takeNext()) this.start(next);
    this.pumping = false;
    if (this.load === 0) this.idle?.();
  }

  private takeNext(): HandlerExecution | undefined {
    const call = this.waitingCalls.length > 0 && this.hasLentSlot ? this.waitingCalls.take() : undefined;
    return call ?? (this.hasSlot ? this.waiting.take() : undefined);
  }

  settle(execution: HandlerExecution, reply: ReplyMessage): void {
    execution.state = 'settled';
    execution.settle(reply);
  }
}

const INVALID = Symbol('invalid');

function parse(bytes: Buffer, read: ReadJson): unknown {
  if (!isUtf8(bytes)) throw new SyntaxError('the bytes are not valid UTF-8');
  return read(bytes.toString());
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
