/** One process as its admin listener, or the primary of its fleet, sees it: metrics, health and the parts in it. */
import {
  type DiagnosticsChannel,
  diagnostics,
  type WorkerLeft,
} from '../../core/observability/diagnostics.ts';
import { type Health, type HealthReason, healthOf } from '../../core/observability/health.ts';
import type { RouterConsole } from '../../core/observability/reports.ts';
import { RequestStats } from '../../core/observability/request-stats.ts';
import type { ActionOutcome, DepartedWorker, Snapshot } from '../../gateway/admin/index.ts';
import { Metrics } from '../../metrics/index.ts';
import { VERSION } from '../process/package.ts';
import type { RemoteRouters } from './remote-routers.ts';

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
  /** Routers elsewhere that the process's gateway is connected to. */
  remote: RemoteRouters | undefined;
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

  async snapshot(): Promise<Snapshot> {
    const elsewhere = await this.remote?.look();
    const at = Date.now();
    this.departed = [...this.departed, ...(elsewhere?.departed ?? [])]
      .filter((worker) => at - worker.at < SHOWN)
      .slice(-MAX_SHOWN);
    const here = this.routers.map((router) => {
      const contracts = router.contractReports().map(({ name, available }) => ({ name, available }));
      return { ...router.inspect(), requests: router.requestStats(), contracts };
    });
    return {
      at,
      version: VERSION,
      health: this.health(),
      gateways: this.gateways.map(({ inFlight }) => {
        return { process: process.pid, inFlight, requests: this.requests.read() };
      }),
      routers: [...here, ...(elsewhere?.routers ?? [])],
      silent: elsewhere?.silent ?? [],
      departed: this.departed,
    };
  }

  /** OpenAPI fragment of a contract; undefined where there is none of the name. */
  contract(name: string): unknown {
    const contracts = this.routers.flatMap((router) => router.contractReports());
    const found = contracts.find((contract) => contract.name === name);
    return found === undefined ? this.remote?.contract(name) : found.fragment;
  }

  async drainWorker(id: string, drain: boolean): Promise<ActionOutcome> {
    if (this.routers.map((router) => router.drainWorker(id, drain)).includes(true)) return 'done';
    return (await this.remote?.drainWorker(id, drain)) ?? 'unknown';
  }

  async pauseEvent(name: string, pause: boolean): Promise<ActionOutcome> {
    if (this.routers.map((router) => router.pauseEvent(name, pause)).includes(true)) return 'done';
    return (await this.remote?.pauseEvent(name, pause)) ?? 'unknown';
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
