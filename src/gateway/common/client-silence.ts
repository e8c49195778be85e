/** How long a client may read nothing. */
import type { GatewaySettings } from './settings.ts';

/**
 * Time beyond the header and body timeouts, in ms, after which Node ends a request that the gateway
 * does not read.
 */
export const GRACE = 5000;

/** The longest time that an operation may take, in ms. A client that reads nothing for it is lost. */
export function clientSilence({ maxTimeout, clientTimeouts }: GatewaySettings): number {
  return maxTimeout + clientTimeouts.body + GRACE;
}
