/** Fakes around a Broker: workers that record what they receive, and clients that keep their replies. */
import type { ReplyMessage, RequestMessage } from '../../../src/core/messages/message.ts';
import { Broker } from '../../../src/router/broker/broker.ts';
import type { BrokerOptions, RouterNotice } from '../../../src/router/broker/limits.ts';
import type { Origin, RouterRequest } from '../../../src/router/broker/request.ts';
import type { Worker, WorkerInfo, WorkerPort } from '../../../src/router/broker/worker.ts';
import { makeReply, makeRequest } from '../wire/messages.ts';

export interface Sent {
  readonly pending: RouterRequest;
  readonly id: number;
  readonly generation: number;
  readonly timeLeft: number;
}

export class FakeWorker implements WorkerPort {
  /** All requests it received, and those without a reply yet. */
  readonly sent: Sent[] = [];
  readonly open: Sent[] = [];
  readonly cancelled: { id: number; generation: number }[] = [];
  accepts = true;
  worker: Worker;

  constructor(
    protected readonly system: System,
    info: Partial<WorkerInfo>,
  ) {
    const defaults = { id: `w${system.core.workers.size + 1}`, events: ['e'], concurrency: 1 };
    this.worker = system.core.addWorker(this, { ...defaults, ...info }, system.now);
  }

  dispatch(pending: RouterRequest, timeLeft: number): boolean {
    if (!this.accepts) return false;
    const sent = { pending, id: pending.id, generation: pending.generation, timeLeft };
    this.sent.push(sent);
    this.open.push(sent);
    return true;
  }

  cancel(id: number, generation: number): void {
    this.cancelled.push({ id, generation });
  }

  /** Replies to the oldest request it holds. */
  reply(reply: Partial<ReplyMessage> = {}): Sent | undefined {
    const sent = this.open.shift();
    if (sent !== undefined) this.replyTo(sent, reply);
    return sent;
  }

  replyTo(sent: { id: number; generation: number }, reply: Partial<ReplyMessage> = {}): void {
    this.system.core.reply(this.worker, sent.id, sent.generation, replyMessage(reply), this.system.now);
  }

  remove(): void {
    this.system.core.removeWorker(this.worker, this.system.now);
  }

  /** Names of the events it received, in order. */
  get events(): string[] {
    return this.sent.map(({ pending }) => pending.message.eventName);
  }
}

export class FakeClient implements Origin {
  readonly replies: { pending: RouterRequest; reply: ReplyMessage }[] = [];

  settle(pending: RouterRequest, reply: ReplyMessage): void {
    this.replies.push({ pending, reply });
  }

  /** Codes of the replies in order; 'ok' for successes. */
  get codes(): string[] {
    return this.replies.map(({ reply }) => reply.code || 'ok');
  }

  get last(): ReplyMessage | undefined {
    return this.replies.at(-1)?.reply;
  }
}

export class System {
  now = 1000;
  readonly notices: RouterNotice[] = [];
  readonly core: Broker;
  readonly client = new FakeClient();

  constructor(options: BrokerOptions = {}) {
    this.core = new Broker(
      { startupGrace: 0, notify: (notice) => this.notices.push(notice), ...options },
      this.now,
    );
  }

  worker(info: Partial<WorkerInfo> = {}): FakeWorker {
    return new FakeWorker(this, info);
  }

  submit(request: Partial<RequestMessage> = {}, client: Origin = this.client): RouterRequest {
    return this.core.submit(requestMessage(request), client, this.now);
  }

  /** Advances the time, with a tick of the broker every 8 ms and at the end. */
  pass(time: number): void {
    const end = this.now + time;
    while (this.now < end) {
      this.now = Math.min(end, this.now + 8);
      this.core.tick(this.now);
    }
  }
}

export function requestMessage(request: Partial<RequestMessage> = {}): RequestMessage {
  return makeRequest({ eventName: 'e', body: Buffer.from('{}'), timeLeft: 0, ...request });
}

export function replyMessage(reply: Partial<ReplyMessage> = {}): ReplyMessage {
  return makeReply({ body: Buffer.from('null'), ...reply });
}
