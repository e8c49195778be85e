/**
 * A SQLite store in a thread of its own, so that the event loop of the gateway does not wait for the
 * disk.
 */
import { EventEmitter } from 'node:events';
import type {
  ClaimedRequest,
  Hold,
  NewRequest,
  Outcome,
  StoredRequest,
  StoredResult,
} from '../model/request.ts';
import type {
  Cancellation,
  ChangeListener,
  Creation,
  ListQuery,
  Renewal,
  RequestStore,
  StoreLimits,
  StoreStatistics,
} from '../model/store.ts';
import { ThreadCalls } from './thread-calls.ts';
import { exactBytes } from './transfer.ts';

const CHANGED = 'changed';

class SqliteThread implements RequestStore {
  private readonly watchers = new EventEmitter().setMaxListeners(0);
  private readonly calls: ThreadCalls;

  constructor(main: URL, file: string, limits: StoreLimits) {
    const onChange: ChangeListener = (...change) => void this.watchers.emit(CHANGED, ...change);
    this.calls = new ThreadCalls(main, { file, limits }, onChange);
  }

  open(): Promise<void> {
    return this.calls.start();
  }

  create({ fingerprint, data, metadata, ...rest }: NewRequest): Promise<Creation> {
    const request = {
      ...rest,
      fingerprint: exactBytes(fingerprint),
      data: exactBytes(data),
      metadata: exactBytes(metadata),
    };
    return this.calls.call('create', request);
  }

  get(id: string, caller?: string): Promise<StoredRequest | undefined> {
    return this.calls.call('get', id, caller);
  }

  result(id: string, caller?: string): Promise<StoredResult | undefined> {
    return this.calls.call('result', id, caller);
  }

  start(hold: Hold): Promise<boolean> {
    return this.calls.call('start', hold);
  }

  requeue(hold: Hold): Promise<boolean> {
    return this.calls.call('requeue', hold);
  }

  finish(hold: Hold, outcome: Outcome): Promise<boolean> {
    const { result } = outcome;
    const sent = result && { ...result, body: exactBytes(result.body) };
    return this.calls.call('finish', hold, { ...outcome, result: sent });
  }

  progress(hold: Hold, json: string): Promise<boolean> {
    return this.calls.call('progress', hold, json);
  }

  cancel(id: string, caller?: string): Promise<Cancellation> {
    return this.calls.call('cancel', id, caller);
  }

  renew(holds: readonly Hold[], lease: number): Promise<Renewal> {
    return this.calls.call('renew', holds, lease);
  }

  claim(owner: string, lease: number, limit: number): Promise<ClaimedRequest[]> {
    return this.calls.call('claim', owner, lease, limit);
  }

  release(holds: readonly Hold[]): Promise<void> {
    return this.calls.call('release', holds);
  }

  list(query: ListQuery): Promise<StoredRequest[]> {
    return this.calls.call('list', query);
  }

  expire(limit: number): Promise<number> {
    return this.calls.call('expire', limit);
  }

  statistics(): Promise<StoreStatistics> {
    return this.calls.call('statistics');
  }

  watch(listener: ChangeListener): () => void {
    this.watchers.on(CHANGED, listener);
    return () => this.watchers.off(CHANGED, listener);
  }

  /** Starts the thread again if it has ended, for example because memory was short. */
  async check(isThorough: boolean): Promise<void> {
    await this.calls.start();
    await this.calls.call('check', isThorough);
  }

  async close(): Promise<void> {
    await this.calls.close();
    this.watchers.removeAllListeners();
  }
}

/**
 * Opens a file in a thread.
 *
 * @param main URL of the compiled `thread-main`.
 * @throws {ZeroMQConfigError} when the file cannot be opened, another process uses it, or there is
 * no SQLite.
 */
export async function openSqliteThread(
  file: string,
  limits: StoreLimits,
  main: URL = new URL('./thread-main.js', import.meta.url),
): Promise<RequestStore> {
  const store = new SqliteThread(main, file, limits);
  await store.open();
  return store;
}
