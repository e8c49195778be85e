/** The readiness of a gateway. */
import { type Health, healthOf } from '../../core/observability/health.ts';
import { type GatewayContext, isStarting } from '../context/gateway-context.ts';

/** The readiness of a gateway, with the reasons if it cannot serve. */
export function gatewayHealth(gateway: GatewayContext): Health {
  const reasons = [];
  if (gateway.draining) reasons.push({ code: 'SHUTTING_DOWN', detail: 'The gateway is shutting down.' });
  if (!gateway.requester.reachable) reasons.push({ code: 'NO_ROUTER', detail: 'No router is reachable.' });
  if (isStarting(gateway)) {
    reasons.push({ code: 'STARTING', detail: 'The gateway is waiting for the contracts of its routers.' });
  }
  const failure = gateway.store?.failure;
  if (failure !== undefined)
    reasons.push({ code: 'STORE_UNAVAILABLE', detail: `The store of requests cannot be used: ${failure}` });
  return healthOf(reasons);
}
