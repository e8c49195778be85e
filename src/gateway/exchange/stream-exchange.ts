/**
 * An operation request whose reply may be a stream.
 *
 * The reply is open from its first chunk to its last. Until the first chunk, the exchange is like any
 * other one: every failure is a problem response.
 */
import type {
  InFlight,
  OutgoingRequest,
  ReplyMessage,
  Requester,
  StreamPort,
} from '../../core/messages/message.ts';
import { REPLY_WINDOW } from '../../core/messages/stream.ts';
import { clientSilence } from '../common/client-silence.ts';
import { encodeProblem, outcomeProblem, type Problem, problemOfReply } from '../common/problem.ts';
import { clientOf } from '../context/access-log.ts';
import type { OpenStream, StreamOwner } from '../context/open-streams.ts';
import { isOutdatedRange, type StreamHead, streamHead } from '../response/stream-head.ts';
import { begin } from '../response/writer.ts';
import { EventStream, ResumableEventStream } from '../streams/event-stream.ts';
import { ReplyCheck } from '../streams/reply-check.ts';
import { ReplyStream, type StreamTarget } from '../streams/reply-stream.ts';
import { Resumption } from '../streams/resumption.ts';
import { HookedExchange } from './hooked-exchange.ts';
import { abortedProblem } from './own-problems.ts';
import { lastEventIdOf, withStreamExtras } from './request-extras.ts';

const EVENT_STREAM = /^text\/event-stream\s*(?:;|$)/i;

/** An operation request whose reply may be a stream. */
export class StreamExchange extends HookedExchange implements StreamOwner {
  /** The stream, as the gateway counts it. */
  private counted: OpenStream | undefined;
  /** The request as it was sent, to send it again. */
  private outgoing: OutgoingRequest | undefined;
  /** Number of the current request to the worker. Chunks of earlier ones are dropped. */
  private attempts = 0;
  /** The first chunk, until its head is written. */
  private first: ReplyMessage | undefined;
  /** What has arrived while hooks see the first chunk. */
  private readonly early: ReplyMessage[] = [];
  protected reply: ReplyStream | undefined;
  private resumption: Resumption | undefined;
  private itemCheck: ReplyCheck | undefined;
  /** Status of the response. */
  private status = 0;
  private openedAt = 0;

  check(now: number): void {
    const { reply } = this;
    const { settings } = this.gateway;
    if (this.settled || reply === undefined) return;
    const { streamTimeout } = settings;
    const tookTooLong = streamTimeout !== undefined && now - this.openedAt > streamTimeout;
    const fault = tookTooLong
      ? `The stream took longer than ${streamTimeout} ms.`
      : reply.checkSilence(now, settings);
    if (fault !== undefined) this.breakOff({ ...outcomeProblem('TIMEOUT', fault), dispatched: true });
  }

  drain(): void {
    const { retryAfter } = this.gateway.settings;
    const delay = Math.round(retryAfter * (1 + 4 * Math.random()));
    if (!this.settled && this.reply?.drain(delay) === true) this.complete();
  }

  override abort(): void {
    if (this.reply === undefined) super.abort();
    else if (!this.settled) this.breakOff(abortedProblem(true));
  }

  protected override accept(): void {
    if (this.count()) super.accept();
  }

  /** Counts the request as a stream. Returns false if there are too many. */
  protected count(): boolean {
    const { gateway, caller, req } = this;
    const key = caller === undefined ? `client ${clientOf(req)}` : `caller ${caller.id}`;
    const counted = gateway.streams.add(this, key);
    if (typeof counted === 'string') this.fail(outcomeProblem('BUSY', counted));
    else this.counted = counted;
    return typeof counted !== 'string';
  }

  protected override abandon(): void {
    super.abandon();
    this.resumption?.stop();
    if (this.counted !== undefined) this.gateway.streams.remove(this.counted);
  }

  protected override request(outgoing: OutgoingRequest): InFlight {
    this.outgoing = withStreamExtras(outgoing, this);
    return this.issue(this.outgoing);
  }

  /** Sends the request, for the first time or again. */
  private issue(outgoing: OutgoingRequest): InFlight {
    const attempt = (this.attempts += 1);
    const stream: StreamPort = {
      window: this.route.operation.streamsReply ? REPLY_WINDOW : 0,
      upload: this.isUpload,
      onChunk: (reply) => {
        if (attempt === this.attempts && !this.settled) this.onChunk(reply);
      },
      onWindow: (bytes) => this.onWindow(bytes),
    };
    return this.requester.request({ ...outgoing, stream }, (reply) => {
      if (attempt !== this.attempts) return;
      this.workerRequest = undefined;
      if (!this.settled) this.onLast(reply);
    });
  }

  /** What runs the event. */
  protected get requester(): Requester {
    return this.gateway.requester;
  }

  /** Whether a request body follows in chunks. */
  protected get isUpload(): boolean {
    return false;
  }

  /** The worker takes more of the request body. */
  protected onWindow(_bytes: number): void {
    // Requests without an upload have no window.
  }

  private onChunk(chunk: ReplyMessage): void {
    if (this.reply !== undefined) this.attemptToForward(chunk);
    else if (this.first !== undefined) this.early.push(chunk);
    else if (isOutdatedRange(this.headers, chunk)) this.requestWhole();
    else {
      this.first = chunk;
      this.receive(chunk);
    }
  }

  /** Takes the whole reply, or the last part of a stream. */
  private onLast(last: ReplyMessage): void {
    if (this.reply !== undefined) this.attempt(() => this.end(last));
    else if (this.first !== undefined) this.early.push(last);
    else if (last.code === '' && isOutdatedRange(this.headers, last)) this.requestWhole();
    else this.receive(last);
  }

  /** Requests the whole representation, because the range is of another one. */
  private requestWhole(): void {
    const { outgoing } = this;
    if (outgoing === undefined) return;
    this.cancelWorker();
    const { range: _range, ifRange: _ifRange, ...extras } = outgoing.extras ?? {};
    this.workerRequest = this.issue({ ...outgoing, extras });
  }

  protected override deliver(reply: ReplyMessage): void {
    if (reply.more) {
      this.attempt(() => this.open(reply));
      return;
    }
    // A hook has answered in place of the stream.
    if (this.first !== undefined) this.cancelWorker();
    super.deliver(reply);
  }

  /** Writes the head of the response, and what has arrived of its body. */
  private open(given: ReplyMessage): void {
    const { gateway, res, first = given } = this;
    const failure = this.early.at(-1);
    if (failure !== undefined && failure.code !== '') {
      this.fail(this.problemOf(failure), failure);
      return;
    }
    const head = streamHead(this, given);
    if ('title' in head) {
      this.cancelWorker();
      this.fail(head);
      return;
    }
    this.status = begin(gateway, res, head.status, head.headers);
    const failed = this.status !== head.status;
    if (failed || head.isBodiless) {
      if (!failed) res.end();
      this.complete(failed ? 'INTERNAL_ERROR' : '');
      return;
    }
    this.openedAt = performance.now();
    this.reply = this.newReply(head);
    this.itemCheck = ReplyCheck.for(this, head);
    this.forward(first);
    if (this.reply.sent === 0 && !this.settled) res.flushHeaders();
    for (const part of this.early.splice(0)) {
      if (part.more) this.forward(part);
      else this.end(part);
    }
    if (gateway.draining) this.drain();
  }

  private newReply({ format, length }: StreamHead): ReplyStream {
    const { gateway, res, req, route } = this;
    const target: StreamTarget = {
      res,
      socket: req.socket,
      totals: gateway.streams.totals,
      budget: gateway.streams.budget,
      silence: clientSilence(gateway.settings),
      grant: (bytes) => this.workerRequest?.grant(bytes),
    };
    if (format !== 'events') return new ReplyStream(target, length);
    if (!route.operation.resumable) return new EventStream(target);
    const stream = new ResumableEventStream(target, lastEventIdOf(req) ?? '');
    this.resumption = new Resumption(stream);
    return stream;
  }

  private attemptToForward(chunk: ReplyMessage): void {
    if (this.resumption?.isPending === true && !isContinuation(chunk)) {
      this.breakOff(outcomeProblem('BAD_REPLY', 'The worker did not continue the stream of events.'));
      return;
    }
    this.resumption?.onChunk();
    this.attempt(() => this.forward(chunk));
  }

  private forward({ body }: ReplyMessage): void {
    const { reply, itemCheck } = this;
    if (reply === undefined || this.settled) return;
    const problem = itemCheck?.push(body) ?? this.badReply(reply.chunk(body));
    if (problem !== undefined) this.breakOff(problem);
    else if (reply.endIfAsked()) this.complete();
  }

  /** Ends the response, or lets another worker continue it. */
  private end(last: ReplyMessage): void {
    const { reply, itemCheck, resumption } = this;
    if (reply === undefined || this.settled) return;
    if (last.code !== '') {
      const isResumed = resumption?.schedule(last.code, (id) => this.resume(id)) === true;
      if (!isResumed) this.breakOff(this.problemOf(last));
      return;
    }
    const problem = itemCheck?.end(last.body) ?? this.badReply(reply.end(last.body));
    if (problem !== undefined) this.breakOff(problem);
    else this.complete();
  }

  private resume(lastEventId: string): void {
    const { outgoing } = this;
    if (outgoing === undefined || this.settled) return;
    this.gateway.streams.totals.resumed += 1;
    const { lastEventId: _first, ...extras } = outgoing.extras ?? {};
    const resumed = lastEventId === '' ? extras : { ...extras, lastEventId };
    this.workerRequest = this.issue({ ...outgoing, extras: resumed });
  }

  /** Settles the exchange with a response that has ended. */
  private complete(code = ''): void {
    this.cancelWorker();
    this.settled = true;
    this.publish(this.status, code, true);
  }

  /** Settles the exchange with a failure, after the head of the response was sent. */
  private breakOff(problem: Problem): void {
    const { gateway, requestId } = this;
    this.cancelWorker();
    this.settled = true;
    this.reply?.fail(encodeProblem(problem, gateway.settings.problemType, requestId));
    this.publish(this.status, problem.code, problem.dispatched ?? true, problem.detail);
  }

  /** An exception after the head of the response was sent breaks the stream off. */
  protected override fail(problem: Problem, reply?: ReplyMessage): void {
    if (this.reply === undefined) super.fail(problem, reply);
    else if (!this.settled) this.breakOff(problem);
  }

  private badReply(fault: string | undefined): Problem | undefined {
    if (fault === undefined) return undefined;
    const { gateway, requestId, route } = this;
    const { eventName } = route.operation;
    gateway.logger.error({ requestId, event: eventName, reason: fault }, 'a streamed reply is not valid');
    return outcomeProblem('BAD_REPLY', fault);
  }

  private cancelWorker(): void {
    this.workerRequest?.cancel();
    this.workerRequest = undefined;
  }

  private problemOf(reply: ReplyMessage): Problem {
    return problemOfReply(reply, (pointer) => this.route.httpPointer(pointer));
  }

  protected override publish(status: number, code: string, dispatched: boolean, detail?: string): void {
    this.resumption?.stop();
    this.reply?.release();
    // A worker whose stream is not needed, such as after the failure of a hook, must not wait.
    if (code !== 'CANCELLED') this.cancelWorker();
    this.traffic = { sent: this.reply?.sent ?? 0, received: this.received };
    if (this.reply !== undefined || this.isUpload) this.gateway.streams.count(code);
    super.publish(status, code, dispatched, detail);
  }

  /** Bytes of the request body that have arrived. */
  protected get received(): number {
    return 0;
  }
}

/** Whether a first chunk continues a stream of events. */
function isContinuation({ status, contentType }: ReplyMessage): boolean {
  return status === 200 && EVENT_STREAM.test(contentType);
}
