/** Times of a request: what it has, and how long it waited, ran and took in all, for callers who ask (Server-Timing). */
import type { IncomingMessage } from 'node:http';
import type { ReplyExtras } from '../../core/messages/message.ts';
import type { GatewaySettings } from '../common/settings.ts';
import { hasObservers } from '../context/access-log.ts';
import type { GatewayContext } from '../context/gateway-context.ts';

const PREFERENCE = /(?:^|[,\s])server-timing(?:$|[,;\s])/i;

/** Whether a request asks for it (RFC 7240). */
function isAsked(req: IncomingMessage): boolean {
  const { prefer } = req.headers;
  return prefer !== undefined && PREFERENCE.test(String(prefer));
}

/** Whether the reply to a request tells its times. */
export function sendsTiming({ serverTiming }: GatewaySettings, req: IncomingMessage): boolean {
  return serverTiming === 'always' || (serverTiming === 'asked' && isAsked(req));
}

/** Whether somebody will ask how long a request took. */
export function needsStartTime(gateway: GatewayContext, req: IncomingMessage): boolean {
  return hasObservers(gateway) || sendsTiming(gateway.settings, req);
}

/** Most that a request waits for a count, in ms. What its header says counts here before it is judged. */
export function maxWaitOf(settings: GatewaySettings, req: IncomingMessage, fallback: number): number {
  const given = Number(req.headers[settings.timeoutHeader.toLowerCase()]);
  return given > 0 ? Math.min(given, settings.maxTimeout) : fallback;
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
