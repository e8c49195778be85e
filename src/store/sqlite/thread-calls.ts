/** Calls into the thread of a SQLite store. All calls of one turn of the event loop are one message. */
import { once } from 'node:events';
import { Worker as Thread } from 'node:worker_threads';
import { ReleasingMap } from '../../core/collections/releasing-map.ts';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import { closedError, unavailable } from '../model/errors.ts';
import type { ChangeListener } from '../model/store.ts';
import type { Calls, FromThread, StoreMethod, ThreadSetup } from './thread-messages.ts';
import { ownBuffers } from './transfer.ts';

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

export class ThreadCalls {
  private readonly pending = new ReleasingMap<number, Pending>();
  private thread: Thread | undefined;
  private calls: Calls[number][] = [];
  private count = 0;
  private failure: Error | undefined;
  private closing: Promise<void> | undefined;

  /**
   * @param main URL of the compiled `thread-main`.
   * @param onChange called with each change.
   */
  constructor(
    private readonly main: URL,
    private readonly setup: ThreadSetup,
    private readonly onChange: ChangeListener,
  ) {}

  /**
   * Starts the thread, unless it runs.
   *
   * @throws {ZeroMQConfigError} when the file cannot be opened.
   */
  async start(): Promise<void> {
    if (this.thread === undefined && this.closing === undefined) this.launch();
    try {
      await this.call('opened');
    } catch (error) {
      throw this.failure instanceof ZeroMQConfigError ? this.failure : error;
    }
  }

  call<T>(method: StoreMethod | 'opened', ...args: readonly unknown[]): Promise<T> {
    if (this.closing !== undefined) return Promise.reject(closedError());
    return this.send(method, args);
  }

  /** Completes all calls, and ends the thread. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private launch(): void {
    // Module hooks of this process would slow the start of a compiled thread.
    const thread = new Thread(this.main, { name: 'store', workerData: this.setup, execArgv: [] });
    thread.unref();
    thread.on('message', (message: FromThread) => this.receive(message));
    thread.on('error', (error) => (this.failure = error));
    thread.once('exit', () => this.ended());
    this.failure = undefined;
    this.thread = thread;
  }

  private send<T>(method: StoreMethod | 'opened', args: readonly unknown[]): Promise<T> {
    const { thread, pending, calls } = this;
    if (thread === undefined) return Promise.reject(this.endedError());
    return new Promise<T>((resolve, reject) => {
      pending.set(++this.count, { resolve, reject });
      if (pending.size === 1) thread.ref();
      if (calls.push([this.count, method, args]) === 1) setImmediate(this.post);
    });
  }

  private readonly post = (): void => {
    const { calls } = this;
    this.calls = [];
    this.thread?.postMessage(calls);
  };

  private receive(message: FromThread): void {
    if ('failed' in message) {
      this.failure = new ZeroMQConfigError(message.failed);
      return;
    }
    for (const [number, value, reason] of message.results) {
      const pending = this.pending.take(number);
      if (reason !== undefined) pending?.reject(unavailable(new Error(reason)));
      else {
        ownBuffers(value);
        pending?.resolve(value as never);
      }
    }
    if (this.pending.size === 0) this.thread?.unref();
    for (const [id, isCancelled] of message.changed) this.onChange(id, isCancelled);
  }

  private ended(): void {
    this.thread = undefined;
    this.calls = [];
    const pending = [...this.pending.values()];
    this.pending.clear();
    for (const { reject } of pending) reject(this.endedError());
  }

  private endedError(): Error {
    return unavailable(this.failure ?? new Error('its thread has ended'));
  }

  private async end(): Promise<void> {
    const { thread } = this;
    if (thread === undefined) return;
    const exit = once(thread, 'exit');
    await this.send('close', []).catch(() => undefined);
    thread.ref();
    await exit;
  }
}
