/**
 * Sends a constant HTTP load to several gateways in turn, as a load balancer does, and records
 * every outcome.
 */
import { request } from 'node:http';
import { toError } from '../../src/core/messages/errors.ts';
import type { Ended, Ledger } from './ledger.ts';

/** Interval between two pairs of requests, in ms. */
const INTERVAL = 10;

/** Maximum time until a response, in ms. It exceeds every deadline of the gateways. */
const RESPONSE_TIMEOUT = 20_000;

interface Answer {
  readonly status: number;
  readonly body: string;
}

export class Load {
  private readonly urls: string[];
  private readonly open = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | undefined;
  private count = 0;
  private turn = 0;

  /**
   * @param run distinguishes the ids of this load from those of another load with the same workers.
   */
  constructor(
    urls: readonly string[],
    private readonly ledger: Ledger,
    private readonly run = '',
  ) {
    this.urls = [...urls];
  }

  start(): void {
    this.timer = setInterval(() => {
      this.count += 1;
      this.note(this.ask(`${this.run}r${this.count}`, true));
      this.note(this.ask(`${this.run}w${this.count}`, false));
    }, INTERVAL);
  }

  /** Resolves when every request has ended. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    while (this.open.size > 0) await Promise.all(this.open);
  }

  /** Removes a gateway from the rotation, as a load balancer does before it stops one. */
  removeGateway(url: string): void {
    this.urls.splice(this.urls.indexOf(url), 1);
  }

  addGateway(url: string): void {
    this.urls.push(url);
  }

  private note(asking: Promise<void>): void {
    this.open.add(asking);
    void asking.finally(() => this.open.delete(asking));
  }

  private async ask(id: string, idempotent: boolean): Promise<void> {
    this.ledger.asked(id, idempotent);
    this.ledger.ended(id, await this.outcome(id, idempotent));
  }

  private async outcome(id: string, idempotent: boolean): Promise<Ended> {
    this.turn += 1;
    const url = this.urls[this.turn % this.urls.length] ?? '';
    try {
      const { status, body } = idempotent
        ? await send(`${url}/read/${id}`, 'GET', '')
        : await send(`${url}/write`, 'POST', JSON.stringify({ id }));
      if (status === 200) return { code: '', dispatched: true };
      const { code = String(status), dispatched = true } = JSON.parse(body) as Partial<Ended>;
      return { code, dispatched };
    } catch (error) {
      // The gateway itself cannot be reached, so the outcome is unknown.
      return { code: `HTTP: ${toError(error).message}`, dispatched: true };
    }
  }
}

function send(url: string, method: string, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const outgoing = request(
      url,
      { method, headers, agent: false, timeout: RESPONSE_TIMEOUT },
      (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: text }));
        incoming.on('error', reject);
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('no response')));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
