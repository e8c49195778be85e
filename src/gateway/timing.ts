/** Server-Timing: how long a request waited, ran and took in all, for callers who ask. */
import type { IncomingMessage } from 'node:http';
import type { ReplyExtras } from '../core/message.ts';
import type { GatewaySettings } from './settings.ts';

const PREFERENCE = /(?:^|[,\s])server-timing(?:$|[,;\s])/i;

/** Whether a request asks for it (RFC 7240). */
function isAsked(req: IncomingMessage): boolean {
  const { prefer } = req.headers;
  return prefer !== undefined && PREFERENCE.test(String(prefer));
}

/** Whether the reply to a request tells its times. */
export function tellsTiming({ serverTiming }: GatewaySettings, req: IncomingMessage): boolean {
  return serverTiming === 'always' || (serverTiming === 'asked' && isAsked(req));
}

/**
 * Adds the header.
 * @param timing what the worker told; classic ones tell nothing.
 * @param started when the request came, in ms.
 */
export function addTiming(
  req: IncomingMessage,
  timing: ReplyExtras['timing'],
  started: number,
  headers: string[],
): void {
  const parts: string[] = [];
  if (typeof timing?.queue === 'number') parts.push(`queue;dur=${round(timing.queue)}`);
  if (typeof timing?.handler === 'number') parts.push(`handler;dur=${round(timing.handler)}`);
  parts.push(`total;dur=${round(performance.now() - started)}`);
  headers.push('Server-Timing', parts.join(', '));
  if (isAsked(req)) headers.push('Preference-Applied', 'server-timing');
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
