/**
 * The load of the soak test of durable requests. A caller sends a request asynchronously, with an
 * idempotency key, or both, and asks any gateway until it knows how the request ended.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { Job } from '../durable-worker.ts';
import type { Final, Log } from './log.ts';
import type { Random } from './random.ts';

/** Time between two checks of how many requests are due, in milliseconds. */
const TICK = 25;
/** Time between two attempts of a caller, in milliseconds. */
const RETRY = 200;
/** Maximum time that a caller waits for one response, in milliseconds. */
const RESPONSE_TIMEOUT = 10_000;
/**
 * Time after the last process has recovered, in milliseconds, after which a request without a final
 * state counts as never ended.
 */
const PATIENCE = 90_000;
/** Maximum number of callers at a time. On a slow machine, the rate falls instead of a backlog growing. */
const MAX_CALLERS = 500;
/** Share of asynchronous requests that their callers cancel. */
const CANCELLED_SHARE = 0.03;
/** Codes with which a retry of the same key makes sense, although they are problems of the request. */
const RETRIED: ReadonlySet<string> = new Set(['IDEMPOTENCY_KEY_RUNNING', 'WORKER_LOST', 'TIMEOUT']);

interface Answer {
  readonly status: number;
  readonly body: {
    readonly code?: string;
    readonly by?: string;
    readonly id?: string;
    readonly state?: string;
  };
}

/** How a request is sent, and what reads its final state. */
interface Sending {
  readonly job: Job;
  readonly path: string;
  readonly isAsync: boolean;
  readonly key: string | undefined;
}

type Ending = Pick<Final, 'state' | 'code' | 'by'>;

export class DurableLoad {
  private readonly agent = new Agent({ connections: 64, headersTimeout: RESPONSE_TIMEOUT });
  private readonly inFlight = new Set<Promise<void>>();
  private readonly readers: { readonly id: string; readonly read: () => Promise<Ending | undefined> }[] = [];
  private count = 0;
  private stopped = false;
  /** When callers give up, on the clock of `performance`. */
  private givesUpAt = Number.POSITIVE_INFINITY;

  /** @param gateways URLs of all gateways, whether they are running or not. */
  constructor(
    private readonly gateways: () => readonly string[],
    private readonly log: Log,
    private readonly random: Random,
  ) {}

  /** Number of requests sent so far. */
  get sent(): number {
    return this.count;
  }

  /** Sends at most `rate` requests per second until `stop` is called. */
  async run(rate: number): Promise<void> {
    let last = performance.now();
    let due = 0;
    while (!this.stopped) {
      const now = performance.now();
      due = Math.min(due + ((now - last) * rate) / 1000, MAX_CALLERS - this.inFlight.size);
      last = now;
      for (; due >= 1; due -= 1) this.sendOne();
      await sleep(TICK);
    }
  }

  /**
   * Stops sending, waits until all requests have ended, and reads all final states once more. Called when
   * all processes have recovered.
   */
  async stop(): Promise<void> {
    this.stopped = true;
    this.givesUpAt = performance.now() + PATIENCE;
    await Promise.all(this.inFlight);
    for (const { id, read } of this.readers) {
      this.givesUpAt = performance.now() + PATIENCE;
      this.logFinal(id, await this.until(read));
    }
    await this.agent.destroy();
  }

  private sendOne(): void {
    const { random } = this;
    this.count += 1;
    const chance = random.next();
    const end = chance < 0.9 ? 'reply' : chance < 0.96 ? 'refuse' : 'fail';
    const wait = Math.floor(random.next() < 0.05 ? random.between(300, 1500) : random.between(0, 50));
    const job: Job = { id: `r${this.count}`, wait, end };
    const idempotent = random.next() < 0.5;
    const isAsync = random.next() < 0.5;
    const key = !isAsync || random.next() < 0.5 ? `key-${job.id}` : undefined;
    this.log.write({ t: 'sent', id: job.id, idempotent });
    const sending = { job, path: `/${idempotent ? 'again' : 'once'}/${job.id}`, isAsync, key };
    const done = this.follow(sending).finally(() => this.inFlight.delete(done));
    this.inFlight.add(done);
  }

  private async follow(sending: Sending): Promise<void> {
    const { job, isAsync, key } = sending;
    if (key !== undefined) this.log.write({ t: 'accepted', id: job.id });
    const read = isAsync ? await this.acceptedReader(sending) : () => this.keyed(sending);
    // Without a key and a 202, the caller does not know whether it was stored.
    if (read === undefined) return;
    if (key === undefined) this.log.write({ t: 'accepted', id: job.id });
    const ending = await this.until(read);
    if (ending === undefined) return;
    this.logFinal(job.id, ending);
    this.readers.push({ id: job.id, read });
  }

  /** Sends an asynchronous request, and returns what reads its final state; undefined without a 202. */
  private async acceptedReader(sending: Sending): Promise<(() => Promise<Ending | undefined>) | undefined> {
    const send = async (): Promise<string | undefined> => {
      const { status, body } = await this.post(sending);
      return status === 202 ? body.id : undefined;
    };
    const id = sending.key === undefined ? await send().catch(() => undefined) : await this.until(send);
    if (id === undefined) return undefined;
    if (this.random.next() < CANCELLED_SHARE) {
      await sleep(this.random.between(0, 100));
      await this.call('DELETE', `/requests/${id}`).catch(() => undefined);
    }
    return () => this.ending(id);
  }

  /** Reads how an asynchronous request ended; undefined if it has not. */
  private async ending(id: string): Promise<Ending | undefined> {
    const { status, body } = await this.call('GET', `/requests/${id}`, { prefer: 'wait=2' });
    if (status === 404) return { state: 'missing', code: '' };
    const state = body.state as Final['state'] | 'accepted' | 'running' | undefined;
    if (status !== 200 || state === undefined || state === 'accepted' || state === 'running')
      return undefined;
    if (state !== 'succeeded' && state !== 'failed') return { state, code: '' };
    const result = await this.call('GET', `/requests/${id}/result`);
    // The gateway is starting or stopping, or cannot use its store: no job ends with this status.
    if (result.status === 503) return undefined;
    return { state, code: result.body.code ?? '', by: result.body.by };
  }

  /** Sends a request with a key, and reads how it ended; undefined if the caller has to send it again. */
  private async keyed(sending: Sending): Promise<Ending | undefined> {
    const { status, body } = await this.post(sending);
    const { code = '', by } = body;
    if (status < 400) return { state: 'succeeded', code, by };
    if (code === 'OUTCOME_UNKNOWN') return { state: 'unknown', code: '' };
    const isOfHandler = code === 'SOAK_REFUSED' || code === 'HANDLER_ERROR';
    if (isOfHandler) return { state: 'failed', code };
    if (status >= 500 || RETRIED.has(code)) return undefined;
    return { state: 'failed', code };
  }

  private post({ job, path, isAsync, key }: Sending): Promise<Answer> {
    const { id: _id, ...rest } = job;
    const headers = {
      'content-type': 'application/json',
      ...(isAsync ? { prefer: 'respond-async' } : {}),
      ...(key === undefined ? {} : { 'idempotency-key': `"${key}"` }),
    };
    return this.call('POST', path, headers, JSON.stringify(rest));
  }

  private async call(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    headers: Record<string, string> = {},
    body?: string,
  ): Promise<Answer> {
    const url = this.random.pick(this.gateways()) + path;
    const signal = AbortSignal.timeout(RESPONSE_TIMEOUT);
    const response = await request(url, { method, headers, body, dispatcher: this.agent, signal });
    const answer = JSON.parse(await response.body.text()) as Answer['body'];
    // A gateway that has just started has no paths before the contracts arrive, and is not ready.
    if (answer.code === 'NOT_FOUND') throw new Error('the gateway is not ready');
    return { status: response.statusCode, body: answer };
  }

  /** Repeats until there is an answer; undefined if there is none in time. */
  private async until<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
    while (performance.now() < this.givesUpAt) {
      const answer = await ask().catch(() => undefined);
      if (answer !== undefined) return answer;
      await sleep(RETRY);
    }
    return undefined;
  }

  private logFinal(id: string, ending: Ending | undefined): void {
    if (ending !== undefined) this.log.write({ t: 'final', id, ...ending });
  }
}
