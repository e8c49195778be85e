/** Logs requests that timed out or lost their worker, with event and request id. */
import type { Logger } from '../../core/logging/logging.ts';
import { logFailedRequest } from '../../core/observability/node-facts.ts';
import type { RouterRequest } from './request.ts';

const MESSAGES: Readonly<Record<string, string>> = {
  TIMEOUT: 'request timed out',
  WORKER_LOST: 'request failed: its worker was lost',
};

/** Maximum lines in a second; one more states how many requests had none. */
const MAX_LINES = 20;

export class FailureLog {
  private second = 0;
  private lines = 0;
  private unlogged = 0;

  constructor(
    private readonly logger: Logger,
    private readonly now: () => number,
  ) {}

  /** Called when a request fails. */
  failed({ message, attempts, enqueuedAt }: RouterRequest, code: string): void {
    const text = MESSAGES[code];
    if (text === undefined) return;
    const now = this.now();
    if (now - this.second >= 1000) this.startSecond(now);
    this.lines += 1;
    if (this.lines > MAX_LINES) {
      this.unlogged += 1;
      return;
    }
    const { eventName: event, requestId } = message;
    const fields = { event, requestId, dispatched: attempts > 0, duration: Math.round(now - enqueuedAt) };
    logFailedRequest(this.logger, fields, text);
  }

  private startSecond(now: number): void {
    const { unlogged } = this;
    [this.second, this.lines, this.unlogged] = [now, 0, 0];
    if (unlogged > 0) logFailedRequest(this.logger, { requests: unlogged }, 'more requests failed');
  }
}
