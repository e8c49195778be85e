/** The Server-Timing header: queue time, handler time and total time of a request. */
import type { IncomingMessage } from 'node:http';
import type { ReplyExtras } from '../../core/messages/message.ts';
import type { GatewaySettings } from '../common/settings.ts';
import { hasObservers } from '../context/access-log.ts';
import type { GatewayContext } from '../context/gateway-context.ts';

const PREFERENCE = /(?:^|[,\s])server-timing(?:$|[,;\s])/i;

/** Whether a request asks for the header with `Prefer` (RFC 7240). */
function isAsked(req: IncomingMessage): boolean {
  const { prefer } = req.headers;
  return prefer !== undefined && PREFERENCE.test(String(prefer));
}

/** Whether the response to a request has the header. */
export function sendsTiming({ serverTiming }: GatewaySettings, req: IncomingMessage): boolean {
  return serverTiming === 'always' || (serverTiming === 'on-request' && isAsked(req));
}

/** Whether the duration of a request is needed, for observers or for the header. */
export function needsStartTime(gateway: GatewayContext, req: IncomingMessage): boolean {
  return hasObservers(gateway) || sendsTiming(gateway.settings, req);
}

/**
 * Adds the header.
 * @param timing times that the worker measured; classic workers send none.
 * @param started when the request arrived, by `performance.now()`.
 * @param timed name of the time since then.
 */
export function addTiming(
  req: IncomingMessage,
  timing: ReplyExtras['timing'],
  started: number,
  headers: string[],
  timed: 'total' | 'first-chunk',
): void {
  const parts: string[] = [];
  if (typeof timing?.queue === 'number') parts.push(`queue;dur=${round(timing.queue)}`);
  if (typeof timing?.handler === 'number') parts.push(`handler;dur=${round(timing.handler)}`);
  parts.push(`${timed};dur=${round(performance.now() - started)}`);
  headers.push('Server-Timing', parts.join(', '));
  if (isAsked(req)) headers.push('Preference-Applied', 'server-timing');
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
