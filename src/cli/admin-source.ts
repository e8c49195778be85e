/** What the admin listener of a command shows: of one process, or of all members of a fleet. */
import type { Health, HealthReason } from '../core/health.ts';
import type { ConsoleLogging, LogLevel } from '../core/logging.ts';
import type { AdminSource, Snapshot } from '../gateway/admin/index.ts';
import { aggregated } from '../metrics/index.ts';
import type { Fleet } from './fleet.ts';
import { VERSION } from './package.ts';
import type { ProcessView } from './process-view.ts';

/** Of this process. */
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
    return Promise.resolve(this.view.snapshot());
  }

  contract(name: string): unknown {
    const contracts = this.view.routers.flatMap((router) => router.contractReports());
    return contracts.find((contract) => contract.name === name)?.fragment;
  }

  drainWorker(id: string, drain: boolean): boolean {
    return this.view.routers.map((router) => router.drainWorker(id, drain)).includes(true);
  }

  pauseEvent(name: string, pause: boolean): boolean {
    return this.view.routers.map((router) => router.pauseEvent(name, pause)).includes(true);
  }

  onChange(listener: () => void): () => void {
    return this.view.onChange(listener);
  }
}

/** Of all members of a fleet, as one. */
export class FleetSource implements AdminSource {
  constructor(
    private readonly fleet: Fleet,
    /** Passes a change of level on to the members. */
    private readonly log: ConsoleLogging,
  ) {}

  async metrics(): Promise<string> {
    return aggregated(await this.fleet.ask('readings'));
  }

  /** The port is shared: while one member serves, the fleet does. */
  async health(): Promise<Health> {
    const members = await this.fleet.ask('health');
    const reasons = members.flatMap((health) => health.reasons);
    const silent = this.fleet.size - members.length;
    if (silent > 0) reasons.push(missing(silent, this.fleet.size));
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
    const members = await this.fleet.ask('snapshot');
    const gateways = members.flatMap((member) => member.gateways);
    const health = await this.health();
    return { at: Date.now(), version: VERSION, health, gateways, routers: [], departed: [] };
  }

  /** Members are gateways: they know neither contracts nor workers. */
  contract(): unknown {
    return undefined;
  }

  drainWorker(): boolean {
    return false;
  }

  pauseEvent(): boolean {
    return false;
  }

  onChange(): () => void {
    return () => undefined;
  }
}

function missing(count: number, size: number): HealthReason {
  return { code: 'PROCESS_DOWN', detail: `${count} of ${size} processes did not answer.` };
}
