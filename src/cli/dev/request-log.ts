/** One line for each HTTP request: `GET /shop/world 200 4 ms`. */
import { diagnostics, type HttpAnswered } from '../../core/observability/diagnostics.ts';
import type { Painter } from '../terminal/colours.ts';

/** Pages that browsers request by themselves. */
const UNWANTED: ReadonlySet<string> = new Set(['/favicon.ico']);

/**
 * Writes a line for each answered request of an operation, and for each failed one. Returns a
 * function that stops it.
 */
export function logRequests(write: (line: string) => void, paint: Painter): () => void {
  const listener = (answered: HttpAnswered): void => {
    const line = requestLine(answered, paint);
    if (line !== undefined) write(line);
  };
  diagnostics.httpAnswered.subscribe(listener);
  return () => diagnostics.httpAnswered.unsubscribe(listener);
}

/** The line of a request; undefined for the pages of the gateway itself, unless they fail. */
export function requestLine(answered: HttpAnswered, paint: Painter): string | undefined {
  const { method, path, status, duration, code, detail, requestId, eventName } = answered;
  if ((eventName === '' && status < 400) || UNWANTED.has(path)) return undefined;
  const colour = status < 400 ? 'green' : status < 500 ? 'yellow' : 'red';
  const took = duration < 1 ? '<1 ms' : `${Math.round(duration)} ms`;
  const line = `${method} ${path} ${paint(colour, String(status))} ${paint('gray', took)}`;
  if (code === '') return line;
  const text = detail === '' ? code : `${code}: ${detail}`;
  return `${line} ${text} ${paint('gray', `(request ${requestId})`)}`;
}
