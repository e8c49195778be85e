/** One process as its admin listener, or the primary of its fleet, sees it: metrics, health and the parts in it. */
import { type DiagnosticsChannel, diagnostics, type WorkerLeft } from '../core/diagnostics.ts';
import { type Health, type HealthReason, healthOf } from '../core/health.ts';
import type { RouterConsole } from '../core/introspection.ts';
import { RequestStats } from '../core/request-stats.ts';
import type { DepartedWorker, Snapshot } from '../gateway/admin/index.ts';
import { Metrics } from '../metrics/index.ts';
import { VERSION } from './package.ts';

/** A gateway, as far as it is looked at. */
interface GatewayPart {
  readonly inFlight: number;
  health(): Health;
}

const STARTING: HealthReason = { code: 'STARTING', detail: 'The process is starting.' };

/** How long (ms), and how many, workers that went are shown. */
const SHOWN = 60_000;
const MAX_SHOWN = 100;

export class ProcessView {
  readonly metrics = new Metrics(VERSION);
  readonly routers: RouterConsole[] = [];
  private readonly gateways: GatewayPart[] = [];
  private readonly requests = new RequestStats('gateway', () => undefined);
  private departed: DepartedWorker[] = [];
  private started = false;
  private readonly left = ({ worker: id, reason, held }: WorkerLeft): void => {
    this.departed = [...this.departed, { id, reason, held, at: Date.now() }].slice(-MAX_SHOWN);
  };

  constructor() {
    this.metrics.watchHealth(() => this.health());
    diagnostics.workerLeft.subscribe(this.left);
  }

  addGateway(gateway: GatewayPart): void {
    this.gateways.push(gateway);
    this.metrics.watchGateway(gateway);
  }

  addRouter(router: RouterConsole): void {
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

  snapshot(): Snapshot {
    const at = Date.now();
    this.departed = this.departed.filter((worker) => at - worker.at < SHOWN);
    const { departed } = this;
    return {
      at,
      version: VERSION,
      health: this.health(),
      gateways: this.gateways.map(({ inFlight }) => {
        return { process: process.pid, inFlight, requests: this.requests.read() };
      }),
      routers: this.routers.map((router) => {
        const contracts = router.contractReports().map(({ name, available }) => ({ name, available }));
        return { ...router.inspect(), requests: router.requestStats(), contracts };
      }),
      departed,
    };
  }

  /** Calls `listener` when a worker came or went; gives what ends that. */
  onChange(listener: () => void): () => void {
    const channels = [diagnostics.workerJoined, diagnostics.workerLeft] as DiagnosticsChannel<unknown>[];
    for (const channel of channels) channel.subscribe(listener);
    return () => {
      for (const channel of channels) channel.unsubscribe(listener);
    };
  }

  close(): void {
    diagnostics.workerLeft.unsubscribe(this.left);
    this.requests.close();
    this.metrics.close();
  }
}
