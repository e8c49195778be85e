/**
 * Runs changes in transactions: all changes of one turn of the event loop share one transaction, so
 * that one flush of the disk makes all of them durable.
 */
import { closedError, unavailable } from '../model/errors.ts';
import type { SqliteDatabase } from './driver.ts';

interface Change {
  readonly run: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** Learns how each transaction ended, before the promises of its changes settle. */
export interface TransactionObserver {
  committed(): void;
  rolledBack(): void;
}

/** Maximum changes of a transaction: more would delay their results for too long. */
const MAX_CHANGES = 500;

export class GroupCommit {
  /** Number of transactions so far. */
  commits = 0;
  private readonly database: SqliteDatabase;
  private readonly observer: TransactionObserver;
  private waiting: Change[] = [];
  private scheduled = false;
  private closed = false;

  constructor(database: SqliteDatabase, observer: TransactionObserver) {
    this.database = database;
    this.observer = observer;
  }

  /** Resolves with the result of `run` once the transaction that contains it is on disk. */
  submit<T>(run: () => T): Promise<T> {
    if (this.closed) return Promise.reject(closedError());
    return new Promise<T>((resolve, reject) => {
      this.waiting.push({ run, resolve, reject });
      this.schedule();
    });
  }

  /** Commits what was submitted, and rejects later changes. */
  close(): void {
    this.closed = true;
    while (this.waiting.length > 0) this.commit();
  }

  /** The next transaction begins when this turn of the event loop ends. */
  private schedule(): void {
    if (!this.scheduled) setImmediate(this.run);
    this.scheduled = true;
  }

  private readonly run = (): void => {
    this.scheduled = false;
    this.commit();
    if (this.waiting.length > 0) this.schedule();
  };

  private commit(): void {
    const changes = this.waiting.splice(0, MAX_CHANGES);
    if (changes.length === 0) return;
    let results: unknown[];
    try {
      this.database.exec('BEGIN IMMEDIATE');
      results = changes.map(({ run }) => run());
      this.database.exec('COMMIT');
    } catch (error) {
      this.rollBack();
      const failure = unavailable(error);
      for (const { reject } of changes) reject(failure);
      return;
    }
    this.observer.committed();
    this.commits++;
    for (const [index, { resolve }] of changes.entries()) resolve(results[index] as never);
  }

  private rollBack(): void {
    try {
      this.database.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back already, which it does after some errors such as a full disk.
    }
    this.observer.rolledBack();
  }
}
