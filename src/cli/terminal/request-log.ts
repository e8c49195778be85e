/** One line for each HTTP request: `GET /shop/world 200 4 ms`. */
import { printable } from '../../core/identity/worker-name.ts';
import { diagnostics, type HttpAnswered } from '../../core/observability/diagnostics.ts';
import type { Painter } from './colours.ts';

/** Pages that browsers request by themselves. */
const UNWANTED: ReadonlySet<string> = new Set(['/favicon.ico']);

/** Lines written in a second; the rest is counted. A terminal is slower than a gateway. */
const MAX_LINES = 100;

/** Options of {@link logRequests}. */
export interface RequestLogOptions {
  /**
   * Whether requests of pages, such as `/docs`, have a line too; it may change. Default: only if they
   * fail.
   */
  pages?: boolean;
  /** Whether lines are written at present. Default: always. */
  readonly enabled?: () => boolean;
  /** The time in milliseconds. Default: the monotonic clock. */
  readonly now?: () => number;
}

/**
 * Writes a line for each answered request of an operation, and for each failed one: up to
 * {@link MAX_LINES} in a second, then the number of the others. Returns a function that stops it.
 */
export function logRequests(
  write: (line: string) => void,
  paint: Painter,
  options: RequestLogOptions = {},
): () => void {
  const { enabled = () => true, now = () => performance.now() } = options;
  let [second, lines, more, failed] = [0, 0, 0, 0];
  let timer: NodeJS.Timeout | undefined;
  const report = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (more > 0) write(paint('gray', `… ${more} more requests, ${failed} of them failed`));
    [lines, more, failed] = [0, 0, 0];
  };
  const listener = (answered: HttpAnswered): void => {
    if (!enabled() || (options.pages !== true && !isShown(answered))) return;
    const at = now();
    if (at - second >= 1000) {
      report();
      second = at;
    }
    lines += 1;
    if (lines <= MAX_LINES) return write(requestLine(answered, paint));
    more += 1;
    if (answered.status >= 400) failed += 1;
    timer ??= setTimeout(report, 1000).unref();
  };
  diagnostics.httpAnswered.subscribe(listener);
  return () => {
    diagnostics.httpAnswered.unsubscribe(listener);
    report();
  };
}

/** Whether a request is one of an operation, or failed. */
export function isShown({ eventName, status, path }: HttpAnswered): boolean {
  return (eventName !== '' || status >= 400) && !UNWANTED.has(path);
}

/** The line of a request. */
export function requestLine(answered: HttpAnswered, paint: Painter): string {
  const { method, path, status, duration, code, detail, requestId, eventName } = answered;
  const colour = status < 400 ? 'green' : status < 500 ? 'yellow' : 'red';
  const took = duration < 1 ? '<1 ms' : `${Math.round(duration)} ms`;
  const line = `${method} ${printable(path)} ${paint(colour, String(status))} ${paint('gray', took)}`;
  if (code === '') return line;
  const text = detail === '' ? code : `${code}: ${detail}`;
  const event = eventName === '' ? '' : `event ${eventName}, `;
  return `${line} ${printable(text)} ${paint('gray', `(${event}request ${requestId})`)}`;
}
