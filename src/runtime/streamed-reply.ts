/** The stream that answers a request, between the executor and its source. */
import type { StreamRule } from '../contract/index.ts';
import { readExtras } from '../core/messages/calls.ts';
import { cancelError } from '../core/messages/cancel-reason.ts';
import { failure, type ReplyMessage } from '../core/messages/message.ts';
import type { TracedSpan } from '../core/observability/tracing.ts';
import type { Clock } from '../core/time/clock.ts';
import { encodeHead } from './encode.ts';
import type { AnsweringStream, HandlerExecution } from './execution.ts';
import { isReply } from './reply.ts';
import { ReplyStream, type ReplyStreamHost } from './streams/reply-stream.ts';
import { type StreamSource, streamSource } from './streams/source.ts';

/** The executor, as seen by its streams. */
export interface StreamOwner {
  readonly clock: Clock;
  /** Maximum size of a reply in bytes. */
  readonly maxReplyBytes: number;
  /** Rules for the streams of an event. */
  rulesOf(eventName: string): StreamRule | undefined;
  /** The first chunk follows: the deadline no longer applies. */
  started(execution: HandlerExecution): void;
  /** Sends the last part. The source may still run. */
  settled(execution: HandlerExecution, reply: ReplyMessage): void;
  /** The source has ended. */
  ended(execution: HandlerExecution, outcome: ReplyMessage): void;
  toFailure(execution: HandlerExecution, thrown: unknown): ReplyMessage;
}

/** The source of a handler's result if it is a stream. */
export function resultSource(result: unknown): StreamSource | undefined {
  return streamSource(isReply(result) ? result.data : result);
}

export class StreamedReply implements ReplyStreamHost, AnsweringStream {
  readonly clock: Clock;
  readonly maxBytes: number;
  readonly headOnly: boolean;
  readonly rules: StreamRule | undefined;
  readonly span: TracedSpan | undefined;
  private readonly stream: ReplyStream;

  /** @throws {UnsendableReplyError} when its status or headers exceed a limit or break a rule. */
  constructor(
    private readonly execution: HandlerExecution,
    private readonly owner: StreamOwner,
    result: unknown,
    source: StreamSource,
  ) {
    const { eventName, extras } = execution.message;
    this.clock = owner.clock;
    this.maxBytes = owner.maxReplyBytes;
    this.rules = owner.rulesOf(eventName);
    this.headOnly = extras.includes('"method"') && readExtras(extras).method === 'HEAD';
    this.span = execution.span;
    const head = encodeHead(isReply(result) ? result : { status: 200, headers: undefined });
    this.stream = new ReplyStream(source, head, this);
  }

  get window(): number {
    return this.execution.windowBytes;
  }

  get isFlowing(): boolean {
    return this.stream.isFlowing;
  }

  start(): void {
    this.stream.start();
    const code =
      this.execution.context?.isAborted === true ? this.execution.context.cancelOutcome : undefined;
    if (code !== undefined) this.cancel(code);
  }

  grant(bytes: number): void {
    this.stream.grant(bytes);
  }

  cancel(code: 'TIMEOUT' | 'CANCELLED'): void {
    const text = 'the stream was aborted: its rest is no longer needed';
    this.stream.cancel(failure(code, text, { dispatched: true }));
  }

  drain(): void {
    if (this.stream.drain()) this.execution.context?.abort(cancelError('stopped'));
  }

  timeLeft(): number {
    return Math.max(0, this.execution.deadline - this.clock.now());
  }

  started(): void {
    this.owner.started(this.execution);
  }

  send(chunk: ReplyMessage): void {
    this.execution.settle(chunk);
  }

  settle(reply: ReplyMessage): void {
    this.owner.settled(this.execution, reply);
  }

  ended(outcome: ReplyMessage): void {
    this.owner.ended(this.execution, outcome);
  }

  toFailure(thrown: unknown): ReplyMessage {
    return this.owner.toFailure(this.execution, thrown);
  }
}
