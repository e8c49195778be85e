/** Whether a gateway can serve. */
import { type Health, healthOf } from '../../core/observability/health.ts';
import { type GatewayContext, isStarting } from '../context/gateway-context.ts';

/** What keeps the gateway from serving; `ok` when nothing does. */
export function gatewayHealth(gateway: GatewayContext): Health {
  const reasons = [];
  if (gateway.draining) reasons.push({ code: 'SHUTTING_DOWN', detail: 'The gateway is shutting down.' });
  if (!gateway.requester.reachable) reasons.push({ code: 'NO_ROUTER', detail: 'No router is reachable.' });
  if (isStarting(gateway)) {
    reasons.push({ code: 'STARTING', detail: 'The gateway waits for the contracts of its routers.' });
  }
  return healthOf(reasons);
}
