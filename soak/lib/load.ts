/**
 * The load of the soak test: a fixed number of requests per second regardless of their outcome.
 * Half go over HTTP through the gateways, half directly from a client to the routers. Everything
 * the callers observe is written to the checker's log.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { type ReplyMessage, silentLogger, ZeroMQClient } from 'zeromq-gateway';
import type { Work } from '../worker.ts';
import { type Log, NO_ANSWER } from './log.ts';
import type { Random } from './random.ts';

/** Request timeout in milliseconds, equal to the one in the worker's contract. */
const TIMEOUT = 2000;
/**
 * How long, in milliseconds, a caller waits for an outcome that is guaranteed within `TIMEOUT`.
 * After this time the request counts as lost.
 */
const PATIENCE = 4 * TIMEOUT;
/** Time between two checks of how many requests are due, in milliseconds. */
const TICK = 25;
/** Share of callers that leave before the reply. */
const IMPATIENT = 0.02;
/**
 * Share of direct requests that are not idempotent and use the event that only the wider contract
 * has.
 */
const MORE = 0.05;

/** Targets of the load. */
export interface Targets {
  /** Frontends of the routers. */
  readonly frontends: readonly string[];
  /** Gateways that currently accept requests. */
  gateways(): readonly string[];
}

export class Load {
  private readonly client: ZeroMQClient;
  private readonly agent = new Agent({ connections: 32, headersTimeout: PATIENCE, bodyTimeout: PATIENCE });
  private readonly open = new Set<Promise<void>>();
  private count = 0;
  private stopped = false;

  constructor(
    private readonly targets: Targets,
    private readonly log: Log,
    private readonly random: Random,
  ) {
    this.client = new ZeroMQClient({ connection: targets.frontends, logger: silentLogger });
  }

  /** Number of requests sent so far. */
  get sent(): number {
    return this.count;
  }

  /** Sends `rate` requests per second until `stop` is called. */
  async run(rate: number): Promise<void> {
    await this.client.connect({ throwOnFailure: true });
    const start = performance.now();
    while (!this.stopped) {
      const due = Math.floor(((performance.now() - start) * rate) / 1000);
      while (this.count < due) this.one();
      await sleep(TICK);
    }
  }

  /** Stops sending and waits a limited time for the requests in flight. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.race([Promise.all(this.open), sleep(PATIENCE)]);
    await this.client.close();
    await this.agent.destroy();
  }

  /** Sends one request. */
  private one(): void {
    const { random } = this;
    this.count += 1;
    const chance = random.next();
    const end = chance < 0.9 ? 'reply' : chance < 0.96 ? 'refuse' : 'fail';
    const wait = Math.floor(random.next() < 0.02 ? random.between(500, 3000) : random.between(0, 50));
    const work: Work = { id: `r${this.count}`, wait, end };
    const idempotent = random.next() < 0.5;
    this.log.write({ t: 'asked', id: work.id, idempotent });
    const settled = random.next() < 0.5 ? this.overHttp(work, idempotent) : this.direct(work, idempotent);
    const done = settled.finally(() => this.open.delete(done));
    this.open.add(done);
  }

  /** Sends a request directly to the routers. */
  private direct(work: Work, idempotent: boolean): Promise<void> {
    const more = !idempotent && this.random.next() < MORE;
    const eventName = idempotent ? 'soak.put' : more ? 'soak.more' : 'soak.post';
    const body = Buffer.from(JSON.stringify(work));
    const patience = this.patience();
    return new Promise((resolve) => {
      let over = false;
      const settle = (reply: ReplyMessage): void => {
        over = true;
        this.settled(work.id, reply.code, reply.status, reply.dispatched, reply.body.toString());
        resolve();
      };
      const inFlight = this.client.request({ eventName, body, idempotent, timeout: TIMEOUT }, settle);
      if (patience === undefined) return;
      void sleep(patience).then(() => {
        if (over) return;
        inFlight.cancel();
        this.log.write({ t: 'settled', id: work.id, code: 'CANCELLED', status: 499, dispatched: undefined });
        resolve();
      });
    });
  }

  /** Sends a request through a gateway. */
  private async overHttp(work: Work, idempotent: boolean): Promise<void> {
    const { id, ...rest } = work;
    const url = `${this.random.pick(this.targets.gateways())}/soak/${id}`;
    const patience = this.patience();
    try {
      const { statusCode, body } = await request(url, {
        method: idempotent ? 'PUT' : 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(rest),
        dispatcher: this.agent,
        signal: patience === undefined ? undefined : AbortSignal.timeout(patience),
      });
      const text = await body.text();
      const problem = statusCode < 400 ? {} : (JSON.parse(text) as { code?: string; dispatched?: boolean });
      this.settled(id, problem.code ?? '', statusCode, problem.dispatched, text);
    } catch {
      // The connection was closed, by the caller or otherwise, so the outcome is unknown.
      this.log.write({ t: 'settled', id, code: NO_ANSWER, status: 0, dispatched: undefined });
    }
  }

  private settled(
    id: string,
    code: string,
    status: number,
    dispatched: boolean | undefined,
    body: string,
  ): void {
    const by = code === '' ? (JSON.parse(body) as { by: string }).by : undefined;
    this.log.write({ t: 'settled', id, code, status, dispatched, by });
  }

  /**
   * How long, in milliseconds, a caller waits before it leaves; undefined for the majority, which
   * wait for the reply.
   */
  private patience(): number | undefined {
    return this.random.next() < IMPATIENT ? Math.ceil(this.random.between(1, 60)) : undefined;
  }
}
