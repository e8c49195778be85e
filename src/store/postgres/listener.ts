/**
 * One connection that listens for `NOTIFY`. It is opened again after it was lost; notifications of
 * the time between are lost.
 */
import { EventEmitter } from 'node:events';
import { toError } from '../../core/messages/errors.ts';
import type { ChangeListener } from '../model/store.ts';
import type { PgClient } from './driver.ts';
import { CHANNEL } from './functions.ts';

/** Time between attempts to connect, in ms. */
const RETRY = 500;

type Report = (message: string, error?: Error) => void;

export class Listener {
  private readonly connect: () => PgClient;
  private readonly report: Report;
  private readonly changes = new EventEmitter().setMaxListeners(0);
  private client: PgClient | undefined;
  private retry: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(connect: () => PgClient, report: Report) {
    this.connect = connect;
    this.report = report;
  }

  /** Opens the connection; rejects if that fails. */
  async start(): Promise<void> {
    const client = this.connect();
    this.client = client;
    client.on('error', (error) => this.report('connection to PostgreSQL failed', error));
    client.on('notification', ({ payload }) => {
      if (payload !== undefined) this.changes.emit('changed', payload, true);
    });
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    // `close` may have been called meanwhile.
    if (this.closed) await client.end();
    else client.on('end', () => this.restart());
  }

  watch(listener: ChangeListener): () => void {
    this.changes.on('changed', listener);
    return () => this.changes.off('changed', listener);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.retry);
    this.changes.removeAllListeners();
    await this.client?.end().catch(() => undefined);
  }

  private restart(): void {
    if (this.closed) return;
    this.retry = setTimeout(() => {
      this.start().then(
        () => this.report('connected to PostgreSQL again'),
        (error: unknown) => {
          this.report('cannot connect to PostgreSQL', toError(error));
          this.restart();
        },
      );
    }, RETRY).unref();
  }
}
