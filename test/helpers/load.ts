/**
 * Sends a constant HTTP load to several gateways in turn, as a load balancer does, and records
 * every outcome for the checker.
 */
import { type ClientRequest, request } from 'node:http';
import { type Log, NO_RESPONSE, type Settled } from '../../soak/lib/log.ts';
import { PATIENCE } from './patience.ts';

/** Interval between two pairs of requests, in ms. */
const INTERVAL = 10;

interface HttpResponse {
  readonly status: number;
  readonly body: string;
}

export class Load {
  private readonly urls: string[];
  private readonly inFlight = new Set<Promise<void>>();
  /** Requests whose connections are not established yet. */
  private readonly connecting = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | undefined;
  private count = 0;
  private turn = 0;

  /**
   * @param run distinguishes the ids of this load from those of another load with the same workers.
   */
  constructor(
    urls: readonly string[],
    private readonly log: Log,
    private readonly run = '',
  ) {
    this.urls = [...urls];
  }

  start(): void {
    const begin = performance.now() - this.count * INTERVAL;
    this.timer = setInterval(() => {
      // A late timer sends what is due, so that a busy machine does not reduce the load.
      for (const due = (performance.now() - begin) / INTERVAL; this.count < due; ) {
        this.count += 1;
        this.track(this.send(`${this.run}r${this.count}`, true));
        this.track(this.send(`${this.run}w${this.count}`, false));
      }
    }, INTERVAL);
  }

  /** Resolves when every request has ended. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    while (this.inFlight.size > 0) await Promise.all(this.inFlight);
  }

  /**
   * Removes a gateway from the rotation, as a load balancer does before it stops one. Resolves when the
   * connections of earlier requests are established.
   */
  async removeGateway(url: string): Promise<void> {
    this.urls.splice(this.urls.indexOf(url), 1);
    await Promise.all(this.connecting);
  }

  addGateway(url: string): void {
    this.urls.push(url);
  }

  private track(request: Promise<void>): void {
    this.inFlight.add(request);
    void request.finally(() => this.inFlight.delete(request));
  }

  private async send(id: string, idempotent: boolean): Promise<void> {
    this.log.write({ t: 'sent', id, idempotent });
    this.log.write({ t: 'settled', id, ...(await this.outcome(id, idempotent)) });
  }

  private async outcome(id: string, idempotent: boolean): Promise<Omit<Settled, 't' | 'id'>> {
    this.turn += 1;
    const url = this.urls[this.turn % this.urls.length] ?? '';
    try {
      const { status, body } = idempotent
        ? await this.fetchOnce(`${url}/read/${id}`, 'GET', '')
        : await this.fetchOnce(`${url}/write`, 'POST', JSON.stringify({ id }));
      const { code, dispatched, by } = JSON.parse(body) as Partial<Settled>;
      if (status === 200) return { code: '', status, dispatched: true, by };
      return { code: code ?? String(status), status, dispatched };
    } catch (error) {
      // The gateway itself cannot be reached, so the outcome is unknown.
      return { code: NO_RESPONSE, status: 0, dispatched: undefined, reason: String(error) };
    }
  }

  private fetchOnce(url: string, method: string, body: string): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const options = { method, headers, agent: false, timeout: PATIENCE };
      const outgoing = request(url, options, (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: text }));
        incoming.on('error', reject);
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error('no response')));
      outgoing.on('error', reject);
      this.trackConnection(outgoing);
      outgoing.end(body);
    });
  }

  private trackConnection(outgoing: ClientRequest): void {
    const settled = new Promise<void>((resolve) => {
      outgoing.once('close', resolve);
      outgoing.once('socket', (socket) => socket.once('connect', resolve));
    });
    this.connecting.add(settled);
    void settled.then(() => this.connecting.delete(settled));
  }
}
