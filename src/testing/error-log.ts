/** The log of a worker under test, from which callers get the cause of a failure. */
import type { Logger } from '../index.ts';

/** The errors that a worker logged. */
export class ErrorLog {
  /** Errors of handlers, in the order in which they were thrown. */
  readonly errors: Error[] = [];
  private readonly byRequest = new Map<string, Error>();

  /** Returns a logger that passes everything to `target`, and keeps the errors of requests. */
  watch(target: Logger): Logger {
    const error = (...entry: unknown[]): void => {
      this.keep(entry[0]);
      (target.error as (...values: unknown[]) => void)(...entry);
    };
    const { trace, debug, info, warn, fatal } = target;
    return {
      trace: trace.bind(target),
      debug: debug.bind(target),
      info: info.bind(target),
      warn: warn.bind(target),
      fatal: fatal.bind(target),
      error,
      isLevelEnabled: (level) => target.isLevelEnabled(level),
      child: (fields) => this.watch(target.child(fields)),
    };
  }

  /** Returns the error of a request, if its handler failed. */
  of(requestId: string): Error | undefined {
    return this.byRequest.get(requestId);
  }

  private keep(fields: unknown): void {
    const { err, requestId } = (fields ?? {}) as { err?: unknown; requestId?: unknown };
    if (!(err instanceof Error) || typeof requestId !== 'string') return;
    this.errors.push(err);
    this.byRequest.set(requestId, err);
  }
}
