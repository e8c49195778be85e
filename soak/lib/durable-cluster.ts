/** The processes of the soak test of durable requests: all of them are killed now and then. */
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type RunningProcess, startProcess } from '../../bench/lib/process.ts';
import { freePorts } from '../../scripts/lib/ports.ts';
import { createPostgres, type PostgresServer } from '../../scripts/lib/postgres.ts';
import { postgresDriver } from '../../src/store/postgres/driver.ts';
import { Member } from './cluster.ts';

const WORKER = fileURLToPath(new URL('../durable-worker.ts', import.meta.url));
const WORKERS = 2;
const DATABASE = 'soak';
/** Attempts to start PostgreSQL after a kill: its former processes end within a second. */
const STARTS = 20;

export type StoreKind = 'sqlite' | 'postgres';

/** A process that can be killed and started again. */
export interface Killable {
  readonly kind: string;
  start(): Promise<void>;
  kill(): Promise<void>;
}

/** A PostgreSQL server. */
class Postgres implements Killable {
  readonly kind = 'postgres';
  private running: RunningProcess | undefined;

  constructor(private readonly server: PostgresServer) {}

  get url(): string {
    return this.server.urlOf(DATABASE);
  }

  async start(): Promise<void> {
    const { command, args } = this.server;
    const spec = { name: this.kind, command, args, ready: /ready to accept connections/ };
    for (let left = STARTS; this.running === undefined; left -= 1) {
      try {
        this.running = await startProcess(spec);
      } catch (error) {
        if (left === 0) throw error;
        await sleep(500);
      }
    }
  }

  async createDatabase(): Promise<void> {
    const client = postgresDriver(this.server.urlOf('postgres')).client();
    await client.connect();
    await client.query(`CREATE DATABASE ${DATABASE}`).finally(() => client.end());
  }

  async kill(): Promise<void> {
    const child = this.running?.child;
    this.running = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}

/** One router, two workers, and the gateways: one with SQLite, two with PostgreSQL. */
export class DurableCluster {
  private constructor(
    readonly gateways: readonly Member[],
    private readonly others: readonly Killable[],
  ) {}

  /** Creates the cluster, and starts the database only. */
  static async of(store: StoreKind, folder: string): Promise<DurableCluster> {
    const count = store === 'postgres' ? 2 : 1;
    const ports = await freePorts(4 + count);
    const port = (): number => ports.shift() ?? 0;
    const postgres = store === 'postgres' ? await startPostgres(folder, port()) : undefined;
    const [frontend, backend, heartbeat] = [0, 1, 2].map(() => `tcp://127.0.0.1:${port()}`) as [
      string,
      string,
      string,
    ];
    const common = ['--log-level', 'silent'];
    const url = postgres?.url ?? `sqlite:${path.join(folder, 'store.db')}`;
    const make = (kind: Member['kind'], index: number, args: string[]): Member =>
      new Member(kind, `${kind} ${index + 1}`, false, [...args, ...common], { SOAK_LOG: folder });
    const router = make('router', 0, [
      '--frontend',
      frontend,
      '--backend',
      backend,
      '--heartbeat',
      heartbeat,
    ]);
    const workers = Array.from({ length: WORKERS }, (_, index) =>
      make('worker', index, [WORKER, '--router', backend]),
    );
    const gateways = Array.from({ length: count }, (_, index) =>
      make('gateway', index, ['--router', frontend, '--port', String(port()), '--store', url]),
    );
    return new DurableCluster(gateways, [...(postgres ? [postgres] : []), router, ...workers]);
  }

  /** All processes. */
  get all(): readonly Killable[] {
    return [...this.others, ...this.gateways];
  }

  async start(): Promise<void> {
    await Promise.all(this.all.map((one) => one.start()));
  }

  /** Ends all processes. */
  async end(): Promise<void> {
    await Promise.all(this.all.map((one) => one.kill()));
  }
}

async function startPostgres(folder: string, port: number): Promise<Postgres> {
  const data = path.join(folder, 'postgres');
  mkdirSync(data);
  const postgres = new Postgres(createPostgres(data, port, true));
  await postgres.start();
  await postgres.createDatabase();
  return postgres;
}
