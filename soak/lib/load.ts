/**
 * The load of the soak test: a fixed number of requests per second regardless of their outcome.
 * Half go over HTTP through the gateways, half directly from a client to the routers. Everything
 * the callers observe is written to the checker's log.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { type ReplyMessage, silentLogger, ZeroMQClient } from 'zeromq-gateway';
import type { Work } from '../worker.ts';
import { type Log, NO_RESPONSE } from './log.ts';
import type { Random } from './random.ts';

/** Request timeout in milliseconds, equal to the one in the worker's contract. */
const TIMEOUT = 2000;
/**
 * How long, in milliseconds, a caller waits for an outcome that is guaranteed within `TIMEOUT`.
 * After this time the request counts as lost.
 */
const OUTCOME_TIMEOUT = 4 * TIMEOUT;
/** Time between two checks of how many requests are due, in milliseconds. */
const TICK = 25;
/** Share of callers that leave before the reply. */
const LEAVING_SHARE = 0.02;
/**
 * Share of direct requests that are not idempotent and use the event that only the wider contract
 * has.
 */
const WIDER_EVENT_SHARE = 0.05;

/** Targets of the load. */
export interface Targets {
  /** Frontends of the routers. */
  readonly frontends: readonly string[];
  /** Gateways that currently accept requests. */
  gateways(): readonly string[];
}

export class Load {
  private readonly client: ZeroMQClient;
  private readonly agent = new Agent({
    connections: 32,
    headersTimeout: OUTCOME_TIMEOUT,
    bodyTimeout: OUTCOME_TIMEOUT,
  });
  private readonly inFlight = new Set<Promise<void>>();
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
      while (this.count < due) this.sendOne();
      await sleep(TICK);
    }
  }

  /** Stops sending and waits a limited time for the requests in flight. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.race([Promise.all(this.inFlight), sleep(OUTCOME_TIMEOUT)]);
    await this.client.close();
    await this.agent.destroy();
  }

  /** Sends one request. */
  private sendOne(): void {
    const { random } = this;
    this.count += 1;
    const chance = random.next();
    const end = chance < 0.9 ? 'reply' : chance < 0.96 ? 'refuse' : 'fail';
    const wait = Math.floor(random.next() < 0.02 ? random.between(500, 3000) : random.between(0, 50));
    const work: Work = { id: `r${this.count}`, wait, end };
    const idempotent = random.next() < 0.5;
    this.log.write({ t: 'sent', id: work.id, idempotent });
    const settled = random.next() < 0.5 ? this.overHttp(work, idempotent) : this.direct(work, idempotent);
    const done = settled.finally(() => this.inFlight.delete(done));
    this.inFlight.add(done);
  }

  /** Sends a request directly to the routers. */
  private direct(work: Work, idempotent: boolean): Promise<void> {
    const more = !idempotent && this.random.next() < WIDER_EVENT_SHARE;
    const eventName = idempotent ? 'soak.put' : more ? 'soak.more' : 'soak.post';
    const body = Buffer.from(JSON.stringify(work));
    const leaveAfter = this.leaveAfter();
    return new Promise((resolve) => {
      let settled = false;
      const settle = (reply: ReplyMessage): void => {
        settled = true;
        this.logOutcome(work.id, reply.code, reply.status, reply.dispatched, reply.body.toString());
        resolve();
      };
      const inFlight = this.client.request({ eventName, body, idempotent, timeout: TIMEOUT }, settle);
      if (leaveAfter === undefined) return;
      void sleep(leaveAfter).then(() => {
        if (settled) return;
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
    const leaveAfter = this.leaveAfter();
    try {
      const { statusCode, body } = await request(url, {
        method: idempotent ? 'PUT' : 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(rest),
        dispatcher: this.agent,
        signal: leaveAfter === undefined ? undefined : AbortSignal.timeout(leaveAfter),
      });
      const text = await body.text();
      const problem = statusCode < 400 ? {} : (JSON.parse(text) as { code?: string; dispatched?: boolean });
      this.logOutcome(id, problem.code ?? '', statusCode, problem.dispatched, text);
    } catch {
      // The connection was closed, by the caller or otherwise, so the outcome is unknown.
      this.log.write({ t: 'settled', id, code: NO_RESPONSE, status: 0, dispatched: undefined });
    }
  }

  private logOutcome(
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
  private leaveAfter(): number | undefined {
    return this.random.next() < LEAVING_SHARE ? Math.ceil(this.random.between(1, 60)) : undefined;
  }
}
