/**
 * admin: what a command shows operators. The admin listener of its own process or cluster, and
 * clients for the admin events of routers and the requests of gateways.
 *
 * Data sources of a command's admin listener: one process, or all members of a cluster.
 */

import type { ConsoleLogging, LogLevel } from '../../core/logging/logging.ts';
import type { Health, HealthReason } from '../../core/observability/health.ts';
import type {
  ActionOutcome,
  AdminSource,
  RequestsAnswer,
  RequestsCommand,
  Snapshot,
} from '../../gateway/admin/index.ts';
import { aggregated } from '../../metrics/index.ts';
import type { Cluster } from '../process/cluster.ts';
import { VERSION } from '../process/package.ts';
import type { ProcessView } from './process-view.ts';

/** Reports on this process. */
export class ProcessSource implements AdminSource {
  constructor(
    private readonly view: ProcessView,
    private readonly log: ConsoleLogging,
  ) {}

  metrics(): Promise<string> {
    return this.view.metrics.text();
  }

  health(): Promise<Health> {
    return Promise.resolve(this.view.health());
  }

  get logLevel(): LogLevel | 'silent' {
    return this.log.consoleLevel;
  }

  set logLevel(level) {
    this.log.consoleLevel = level;
  }

  snapshot(): Promise<Snapshot> {
    return this.view.snapshot();
  }

  contract(name: string): Promise<unknown> {
    return Promise.resolve(this.view.contract(name));
  }

  drainWorker(id: string, drain: boolean): Promise<ActionOutcome> {
    return this.view.drainWorker(id, drain);
  }

  pauseEvent(name: string, pause: boolean): Promise<ActionOutcome> {
    return this.view.pauseEvent(name, pause);
  }

  requests(command: RequestsCommand): Promise<RequestsAnswer> {
    return this.view.storedRequests(command);
  }

  onChange(listener: () => void): () => void {
    return this.view.onChange(listener);
  }
}

/** Reports on all members of a cluster as one. */
export class ClusterSource implements AdminSource {
  constructor(
    private readonly cluster: Cluster,
    /** Changes the log level of the members too. */
    private readonly log: ConsoleLogging,
  ) {}

  async metrics(): Promise<string> {
    return aggregated(await this.cluster.queryAll('readings'));
  }

  /** The members share one port, so the cluster serves requests while at least one member does. */
  async health(): Promise<Health> {
    const members = await this.cluster.queryAll('health');
    const reasons = members.flatMap((health) => health.reasons);
    const unanswered = this.cluster.size - members.length;
    if (unanswered > 0) reasons.push(missing(unanswered, this.cluster.size));
    if (reasons.length === 0) return { status: 'ok', reasons };
    const some = members.some(({ status }) => status !== 'unavailable');
    return { status: some ? 'degraded' : 'unavailable', reasons };
  }

  get logLevel(): LogLevel | 'silent' {
    return this.log.consoleLevel;
  }

  set logLevel(level) {
    this.log.consoleLevel = level;
  }

  async snapshot(): Promise<Snapshot> {
    const [first, ...others] = await this.cluster.queryAll('snapshot');
    const health = await this.health();
    const at = Date.now();
    if (first === undefined)
      return { at, version: VERSION, health, gateways: [], routers: [], unavailable: [], departed: [] };
    // All members are connected to the same routers, so one member's view of them is complete.
    return { ...first, at, health, gateways: [first, ...others].flatMap((member) => member.gateways) };
  }

  contract(name: string): Promise<unknown> {
    return this.cluster.queryOne('contract', name);
  }

  async drainWorker(id: string, drain: boolean): Promise<ActionOutcome> {
    return (await this.cluster.queryOne('drainWorker', id, drain)) ?? NO_ANSWER;
  }

  async pauseEvent(name: string, pause: boolean): Promise<ActionOutcome> {
    return (await this.cluster.queryOne('pauseEvent', name, pause)) ?? NO_ANSWER;
  }

  async requests(command: RequestsCommand): Promise<RequestsAnswer> {
    return (await this.cluster.queryOne('requests', command)) ?? { ...NO_ANSWER, body: NO_ANSWER };
  }

  onChange(): () => void {
    return () => undefined;
  }
}

const NO_ANSWER = { status: 503, detail: 'No process of the cluster answered in time.' };

function missing(count: number, size: number): HealthReason {
  return { code: 'PROCESS_DOWN', detail: `${count} of ${size} processes did not answer.` };
}
