/**
 * Shared by the fault tests: callers and workers that record what they do in the checker's log, and
 * the result of the checker.
 */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type CheckResult, type CheckRules, check } from '../../soak/lib/checker.ts';
import { Log, readLogs, type Settled } from '../../soak/lib/log.ts';
import type { HandlerContext, ReplyMessage, ZeroMQClient, ZeroMQRouter } from '../../src/index.ts';
import { emissions, eventually, within } from '../helpers/eventually.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { type RunningProcess, startProcess } from '../helpers/processes.ts';
import type { Scope } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';

/** Event data of every request. */
export interface Task {
  readonly id: string;
  /** Whether it runs until the test releases it. */
  readonly hold: boolean;
  /** Duration at a worker program, in ms. Default 0. */
  readonly time?: number | undefined;
}

/** Options of `programs/worker.mjs`. */
export interface WorkerProgramOptions {
  readonly name: string;
  readonly folder: string;
  readonly connection: string;
  readonly concurrency: number;
  /** Endpoint that receives the heartbeats. */
  readonly heartbeat?: string;
  /** Version of the contract `tasks` that it announces. Versions 1 and 2 are incompatible. */
  readonly contractVersion?: 1 | 2;
}

type WorkerOptions = Omit<WorkerProgramOptions, 'name' | 'folder' | 'concurrency'> & {
  readonly concurrency?: number;
};

/** A request in flight. */
export interface PendingRequest {
  readonly id: string;
  readonly settled: Promise<Settled>;
  cancel(): void;
}

const PROGRAMS = new URL('./programs/', import.meta.url);

/** Starts one of `programs/`. */
export function startProgram(scope: Scope, name: string, ...args: string[]): RunningProcess {
  return startProcess(scope, process.execPath, [fileURLToPath(new URL(`${name}.mjs`, PROGRAMS)), ...args]);
}

export class Scene {
  private readonly folder: string;
  readonly log: Log;
  private count = 0;

  constructor(private readonly scope: Scope) {
    this.folder = tempFolder(scope);
    this.log = new Log(this.folder, 'callers');
    scope.after(() => this.log.close());
  }

  /**
   * Sends a request and records its outcome. `put` is idempotent, `post` is not.
   *
   * @param options.timeout in ms. Default: as long as a test waits.
   */
  send(
    client: ZeroMQClient,
    eventName: 'put' | 'post',
    options: { hold?: boolean; time?: number; timeout?: number } = {},
  ): PendingRequest {
    const { hold = false, time, timeout = PATIENCE } = options;
    this.count += 1;
    const id = `${eventName}-${this.count}`;
    const task: Task = { id, hold, time };
    const idempotent = eventName === 'put';
    this.log.write({ t: 'sent', id, idempotent });
    let cancel = (): void => undefined;
    const settled = new Promise<Settled>((resolve) => {
      const settle = (outcome: Settled): void => {
        this.log.write(outcome);
        resolve(outcome);
      };
      const body = Buffer.from(JSON.stringify(task));
      const request = { eventName, body, idempotent, timeout };
      const inFlight = client.request(request, (reply) => settle(outcomeOf(id, reply)));
      cancel = () => {
        inFlight.cancel();
        settle({ t: 'settled', id, code: 'CANCELLED', status: 499, dispatched: undefined });
      };
    });
    return {
      id,
      settled: within(settled, `the outcome of ${id}`, timeout + PATIENCE),
      cancel: () => cancel(),
    };
  }

  /** Starts a worker in its own process. Resolves when the router has accepted it. */
  async worker(router: ZeroMQRouter | undefined, options: WorkerOptions): Promise<RunningProcess> {
    const joined = router === undefined ? undefined : once(router, 'workerJoined');
    const program = this.startWorker(options);
    await program.waitForLine(/^accepted$/);
    await joined;
    return program;
  }

  /** Starts a worker in its own process. Resolves when the router has rejected it. */
  async rejectedWorker(options: WorkerOptions): Promise<RunningProcess> {
    const program = this.startWorker(options);
    await program.waitForLine(/^refused: /);
    return program;
  }

  private startWorker(options: WorkerOptions): RunningProcess {
    this.count += 1;
    const name = `worker-${this.count}`;
    const all: WorkerProgramOptions = { concurrency: 8, ...options, name, folder: this.folder };
    return startProgram(this.scope, 'worker', JSON.stringify(all));
  }

  /**
   * Returns handlers for a worker in this process, which record their runs. A run with `hold` ends
   * with `release()`.
   */
  handlers(name: string): { put: Run; post: Run; release: () => void; began: (id: string) => Promise<void> } {
    const held = new Set<() => void>();
    const begun = new Set<string>();
    const changes = new EventEmitter();
    let runs = 0;
    const run: Run = async ({ id, hold }) => {
      runs += 1;
      const by = `${name}-${runs}`;
      this.log.write({ t: 'began', id, by });
      begun.add(id);
      changes.emit('began');
      if (hold) await new Promise<void>((resolve) => held.add(resolve));
      this.log.write({ t: 'ended', id, by });
      return { id, by };
    };
    const release = (): void => {
      for (const end of held) end();
      held.clear();
    };
    this.scope.after(release);
    const began = async (id: string): Promise<void> => {
      await eventually(emissions(changes, 'began'), () => begun.has(id), `the run of ${id} at ${name}`);
    };
    return { put: run, post: run, release, began };
  }

  /**
   * Asserts that the checker finds no violation of the delivery guarantees. Returns its result.
   */
  assertGuarantees(rules: CheckRules = {}): CheckResult {
    const result = check(readLogs(this.folder), rules);
    assert.deepEqual(result.violations, []);
    return result;
  }
}

type Run = (task: Task, context?: HandlerContext) => Promise<object>;

function outcomeOf(id: string, { code, status, dispatched, body }: ReplyMessage): Settled {
  const by = code === '' ? (JSON.parse(body.toString()) as { by: string }).by : undefined;
  return { t: 'settled', id, code, status, dispatched, by };
}

/**
 * Returns the codes and `dispatched` of outcomes in short form: `ok`, `WORKER_LOST, dispatched`.
 */
export async function outcomesOf(askings: readonly PendingRequest[]): Promise<string[]> {
  const outcomes = await Promise.all(askings.map(({ settled }) => settled));
  return outcomes.map(({ code, dispatched }) =>
    code === '' ? 'ok' : `${code}${dispatched === true ? ', dispatched' : ''}`,
  );
}
