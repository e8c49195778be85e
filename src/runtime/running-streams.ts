/** The streams that answer the requests of an executor. */
import { type StreamRule, sequentialFormat } from '../contract/index.ts';
import type { ReplyMessage } from '../core/messages/message.ts';
import type { Clock } from '../core/time/clock.ts';
import type { HandlerExecution } from './execution.ts';
import type { Outcomes } from './outcomes.ts';
import { isReply, Reply } from './reply.ts';
import { resultSource, StreamedReply, type StreamOwner } from './streamed-reply.ts';

/** Options of an executor that concern streams. */
export interface StreamSettings {
  /** Maximum size of a reply in bytes. */
  readonly maxReplyBytes: number;
  /** Maximum number of streams that use no slot. */
  readonly maxStreams: number;
  /** Content type and check of the streams of an event. */
  readonly streams?: ReadonlyMap<string, StreamRule>;
}

/** The executor, as seen by its streams. */
export interface StreamExecutor {
  readonly clock: Clock;
  /** A handler has answered: the first chunk follows. */
  answered(execution: HandlerExecution): void;
  settle(execution: HandlerExecution, reply: ReplyMessage): void;
  finish(execution: HandlerExecution, outcome: ReplyMessage): void;
  /** A slot is free. */
  slotFreed(): void;
}

export class RunningStreams implements StreamOwner {
  readonly clock: Clock;
  readonly maxReplyBytes: number;
  /** Number of streams that use no slot. */
  slotless = 0;
  private draining = false;

  constructor(
    private readonly settings: StreamSettings,
    private readonly outcomes: Outcomes,
    private readonly executor: StreamExecutor,
  ) {
    this.clock = executor.clock;
    this.maxReplyBytes = settings.maxReplyBytes;
  }

  /**
   * Answers a request with a stream if its handler returned one.
   *
   * @returns whether it did.
   * @throws {Error} when the result cannot be read or sent.
   */
  start(execution: HandlerExecution, result: unknown): boolean {
    const source = resultSource(result);
    if (source === undefined) return false;
    const streamed = new StreamedReply(execution, this, result, source);
    execution.streamed = streamed;
    streamed.start();
    if (this.draining) streamed.drain();
    return true;
  }

  /**
   * Returns the result of a handler that is not a stream. Bytes of an event whose contract declares
   * bytes have the media type of the contract, unless they state their own.
   */
  whole(eventName: string, result: unknown): unknown {
    const { streams } = this.settings;
    return streams === undefined ? result : withType(result, streams.get(eventName)?.contentType);
  }

  /** The node drains: event streams end. */
  drain(running: Iterable<HandlerExecution>): void {
    this.draining = true;
    for (const { streamed } of running) streamed?.drain();
  }

  rulesOf(eventName: string): StreamRule | undefined {
    return this.settings.streams?.get(eventName);
  }

  started(execution: HandlerExecution): void {
    this.executor.answered(execution);
    execution.deadline = Infinity;
    execution.context?.liftDeadline();
    if (this.slotless >= this.settings.maxStreams) return;
    this.slotless += 1;
    execution.releaseSlot();
    this.executor.slotFreed();
  }

  settled(execution: HandlerExecution, reply: ReplyMessage): void {
    // Calls end before the request that they belong to.
    execution.context?.release();
    this.executor.settle(execution, reply);
    execution.upload?.fail(new Error('the request has ended'));
  }

  ended(execution: HandlerExecution, outcome: ReplyMessage): void {
    this.executor.finish(execution, outcome);
  }

  toFailure(execution: HandlerExecution, thrown: unknown): ReplyMessage {
    return this.outcomes.ofStreamError(execution, thrown);
  }
}

function withType(result: unknown, contentType: string | undefined): unknown {
  if (contentType === undefined || sequentialFormat(contentType) !== undefined) return result;
  const { status, data, headers } = isReply(result) ? result : new Reply(200, result, undefined);
  if (!(data instanceof Uint8Array)) return result;
  const isStated = Object.keys(headers ?? {}).some((name) => name.toLowerCase() === 'content-type');
  return isStated ? result : new Reply(status, data, { ...headers, 'content-type': contentType });
}
