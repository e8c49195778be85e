/**
 * What an admin listener, or the primary of a cluster, reads from a process: metrics, health,
 * gateways and routers.
 */
import {
  type DiagnosticsChannel,
  diagnostics,
  type WorkerLeft,
} from '../../core/observability/diagnostics.ts';
import { type Health, type HealthReason, healthOf } from '../../core/observability/health.ts';
import type { RouterConsole } from '../../core/observability/reports.ts';
import { RequestStats } from '../../core/observability/request-stats.ts';
import {
  type ActionOutcome,
  type DepartedWorker,
  NO_STORE,
  type RequestsAnswer,
  type RequestsCommand,
  type RequestsStore,
  runRequestsCommand,
  type Snapshot,
} from '../../gateway/admin/index.ts';
import { type GatewayView, Metrics } from '../../metrics/index.ts';
import { VERSION } from '../process/package.ts';
import type { RemoteRouters } from './remote-routers.ts';
import type { ServicePart } from './service-part.ts';

/** The part of a gateway that the view reads. */
interface GatewayPart extends GatewayView {
  readonly store?: (RequestsStore & GatewayView['store']) | undefined;
  health(): Health;
}

const STARTING: HealthReason = { code: 'STARTING', detail: 'The process is starting.' };

/** How long the view shows departed workers, in milliseconds, and at most how many of them. */
const DEPARTED_RETENTION = 60_000;
const MAX_DEPARTED = 100;

export class ProcessView {
  readonly metrics = new Metrics(VERSION);
  readonly routers: RouterConsole[] = [];
  /** Routers in other processes to which the gateway of this process is connected. */
  remote: RemoteRouters | undefined;
  private readonly gateways: GatewayPart[] = [];
  private readonly services: ServicePart[] = [];
  private readonly requests = new RequestStats(
    'gateway',
    () => undefined,
    () => true,
  );
  private departed: DepartedWorker[] = [];
  private started = false;
  private readonly onWorkerLeft = ({ worker: id, name, reason, held }: WorkerLeft): void => {
    this.departed = [...this.departed, { id, name, reason, held, at: Date.now() }].slice(-MAX_DEPARTED);
  };

  constructor() {
    this.metrics.watchHealth(() => this.health());
    diagnostics.workerLeft.subscribe(this.onWorkerLeft);
  }

  addGateway(gateway: GatewayPart): void {
    this.gateways.push(gateway);
    this.metrics.watchGateway(gateway);
  }

  addRouter(router: RouterConsole): void {
    this.routers.push(router);
    this.metrics.watchRouter(router);
  }

  addService(service: ServicePart): void {
    this.services.push(service);
    this.metrics.watchService(service);
  }

  /** Ends the starting phase: all gateways and routers have been added. */
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
    const services = this.services.map((service) => service.health());
    const serviceReasons = services.flatMap((health) => health.reasons);
    if (!this.started) return healthOf([STARTING, ...reasons, ...serviceReasons]);
    const degraded = services.every(({ status }) => status !== 'unavailable') && serviceReasons.length > 0;
    if (reasons.length === 0 && degraded) return { status: 'degraded', reasons: serviceReasons };
    return healthOf([...reasons, ...serviceReasons]);
  }

  async snapshot(): Promise<Snapshot> {
    const remote = await this.remote?.query();
    const at = Date.now();
    this.departed = [...this.departed, ...(remote?.departed ?? [])]
      .filter((worker) => at - worker.at < DEPARTED_RETENTION)
      .slice(-MAX_DEPARTED);
    const local = this.routers.map((router) => {
      const contracts = router.contractReports().map(({ name, available }) => ({ name, available }));
      return { ...router.inspect(), requests: router.requestStats(), contracts };
    });
    return {
      at,
      version: VERSION,
      health: this.health(),
      gateways: this.gateways.map(({ inFlight, streams }) => {
        const requests = this.requests.read();
        return { process: process.pid, inFlight, streams: streams.inFlight, requests };
      }),
      routers: [...local, ...(remote?.routers ?? [])],
      unavailable: remote?.unavailable ?? [],
      departed: this.departed,
    };
  }

  /** Returns the OpenAPI fragment of a contract, or undefined if no contract has this name. */
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

  /** Lists, shows or cancels requests in the store of a gateway. */
  async storedRequests(command: RequestsCommand): Promise<RequestsAnswer> {
    const store = this.gateways.find((gateway) => gateway.store !== undefined)?.store;
    return store === undefined ? NO_STORE : runRequestsCommand(store, command);
  }

  /** Calls `listener` when a worker joins or leaves. Returns a function that stops this. */
  onChange(listener: () => void): () => void {
    const channels = [diagnostics.workerJoined, diagnostics.workerLeft] as DiagnosticsChannel<unknown>[];
    for (const channel of channels) channel.subscribe(listener);
    return () => {
      for (const channel of channels) channel.unsubscribe(listener);
    };
  }

  close(): void {
    diagnostics.workerLeft.unsubscribe(this.onWorkerLeft);
    this.requests.close();
    this.metrics.close();
  }
}
