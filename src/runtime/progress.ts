/** The progress that a handler reports: encoded, and sent no more often than it is useful. */
import { jsonText } from '../core/json/json-value.ts';
import { toError, ZeroMQConfigError } from '../core/messages/errors.ts';
import type { ReplyMessage } from '../core/messages/message.ts';
import { MAX_PROGRESS, progressMessage } from '../core/messages/progress.ts';
import type { Cancel, Clock } from '../core/time/clock.ts';

/** Minimum time between two reports of one handler, in ms. */
const INTERVAL = 100;

/** Sends progress. */
interface ProgressTarget {
  report(progress: ReplyMessage): void;
}

/**
 * Encodes a progress as JSON.
 *
 * @throws {ZeroMQConfigError} when the value cannot be represented as JSON, or is too large.
 */
export function encodeProgress(value: unknown): Buffer {
  let json: Buffer;
  try {
    json = Buffer.from(jsonText(value));
  } catch (cause) {
    throw new ZeroMQConfigError(`progress: ${toError(cause).message}`, { cause });
  }
  if (json.length > MAX_PROGRESS) {
    throw new ZeroMQConfigError(`progress has ${json.length} bytes of JSON, more than ${MAX_PROGRESS}`);
  }
  return json;
}

/**
 * The reports of one handler. The first is sent at the end of the turn, because a router in the same
 * thread must not be called back while it dispatches. Later ones follow after {@link INTERVAL}.
 */
export class ProgressReports {
  private latest: Buffer | undefined;
  private cancelTimer: Cancel | undefined;

  constructor(
    private readonly target: ProgressTarget,
    private readonly clock: Clock,
  ) {}

  report(json: Buffer): void {
    this.latest = json;
    if (this.cancelTimer !== undefined) return;
    this.cancelTimer = this.clock.after(0, () => this.send());
  }

  /** Sends the last report before the reply. */
  end(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    this.flush();
  }

  private send(): void {
    this.cancelTimer = undefined;
    if (!this.flush()) return;
    this.cancelTimer = this.clock.after(INTERVAL, () => this.send());
  }

  private flush(): boolean {
    const { latest } = this;
    this.latest = undefined;
    if (latest !== undefined) this.target.report(progressMessage(latest));
    return latest !== undefined;
  }
}
