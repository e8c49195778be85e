/** One process as its admin listener, or the primary of its fleet, sees it: metrics and health of the parts in it. */
import { type Health, type HealthReason, healthOf } from '../core/health.ts';
import type { RouterView } from '../core/introspection.ts';
import { Metrics } from '../metrics/index.ts';
import { VERSION } from './package.ts';

/** A gateway, as far as it is looked at. */
interface GatewayPart {
  readonly inFlight: number;
  health(): Health;
}

const STARTING: HealthReason = { code: 'STARTING', detail: 'The process is starting.' };

export class ProcessView {
  readonly metrics = new Metrics(VERSION);
  private readonly gateways: GatewayPart[] = [];
  private readonly routers: RouterView[] = [];
  private started = false;

  constructor() {
    this.metrics.watchHealth(() => this.health());
  }

  addGateway(gateway: GatewayPart): void {
    this.gateways.push(gateway);
    this.metrics.watchGateway(gateway);
  }

  addRouter(router: RouterView): void {
    this.routers.push(router);
    this.metrics.watchRouter(router);
  }

  /** Everything in it is there. */
  ready(): void {
    this.started = true;
  }

  health(): Health {
    const reasons = this.gateways.flatMap((gateway) => gateway.health().reasons);
    for (const { state } of this.routers) {
      if (state === 'running') continue;
      const code = state === 'draining' ? 'SHUTTING_DOWN' : 'NOT_RUNNING';
      reasons.push({ code, detail: `The router is ${state}.` });
    }
    return healthOf(this.started ? reasons : [STARTING, ...reasons]);
  }
}
