/** One version of a worker file as it was loaded: its threads, and their registration at the router. */
import type { Logger } from '../../core/logging/logging.ts';
import type { EmbeddedRouter, EmbeddedSlot, EmbeddedWorker } from '../../core/messages/embedded.ts';
import { toError } from '../../core/messages/errors.ts';
import { failure } from '../../core/messages/message.ts';
import { WITHOUT_STREAM } from '../../core/messages/stream.ts';
import { ZeroMQWorkerThreads } from '../../worker/index.ts';
import type { LoadFailure, ModuleReport } from '../../worker/threads/module-report.ts';
import type { DevContracts } from './contracts.ts';

/** How the workers of all files run. */
export interface WorkerOptions {
  readonly router: EmbeddedRouter;
  readonly contracts: DevContracts;
  readonly threads: number;
  readonly concurrency: number | undefined;
  readonly threadStallTimeout: number;
  readonly logger: Logger;
}

/** The part of a file that a generation knows. */
export interface GenerationOwner {
  /** Environment variables of the worker. */
  readonly env: NodeJS.ProcessEnv;
  /** Debugger port of each thread; undefined: no debugger. */
  readonly inspectPorts: readonly number[] | undefined;
  /** Returns whether only this file has a contract of this name. */
  ownsContract(name: string): boolean;
  /** Contracts that the file had before, whose routes it may take over. */
  readonly replacedContracts: readonly string[];
  /** Called with files that the worker imports. */
  imported(files: readonly string[]): void;
  inspectable(port: number): void;
}

/** Why a file cannot be loaded: its module failed, or the router refused its worker. */
export type StartFailure =
  | { readonly kind: 'module'; readonly failure: LoadFailure }
  | { readonly kind: 'refused'; readonly reason: string };

/** The slot of a worker that the router refused; it never receives a request. */
const NO_SLOT: EmbeddedSlot = {
  reply: () => undefined,
  window: () => undefined,
  call: (_message, _parent, settle) => {
    settle(failure('NO_ROUTER', 'the router refused the worker'));
    return { cancel: () => undefined, ...WITHOUT_STREAM };
  },
  leave: () => undefined,
  lost: () => undefined,
};

/** Number of the latest generation. */
let latest = 0;

export class Generation {
  /** Whether the router has accepted one of its workers. */
  registered = false;
  /** Name of its contract, once it registered. */
  contract: string | undefined;
  /** Why its contract is incompatible with the one before. */
  incompatibility: string | undefined;
  private readonly group: ZeroMQWorkerThreads;
  private readonly number: number;
  private failure: LoadFailure | undefined;
  private refusal: string | undefined;
  private started = false;
  private readonly versioned = new Map<EmbeddedWorker, Versioned>();

  constructor(
    file: string,
    private readonly options: WorkerOptions,
    private readonly owner: GenerationOwner,
  ) {
    latest += 1;
    this.number = latest;
    const { threads, concurrency, threadStallTimeout, logger } = options;
    const { env, inspectPorts } = owner;
    const connection: EmbeddedRouter = {
      register: (worker) => this.register(worker),
      withdraw: (worker) => options.router.withdraw(this.versionOf(worker)),
    };
    this.group = new ZeroMQWorkerThreads(
      { module: file, threads, connection, concurrency, threadStallTimeout, logger },
      {
        isolation: inspectPorts === undefined ? 'thread' : 'process',
        env,
        inspectPorts,
        onReport: (report) => this.reported(report),
      },
    );
  }

  /** Loads the file and registers its workers. Returns why that failed; undefined if it did not. */
  async start(): Promise<StartFailure | undefined> {
    try {
      await this.group.start();
    } catch (thrown) {
      const { name, message, stack } = toError(thrown);
      return { kind: 'module', failure: this.failure ?? { name, message, stack, code: undefined } };
    }
    this.started = true;
    return this.refusal === undefined ? undefined : { kind: 'refused', reason: this.refusal };
  }

  /**
   * Finishes its requests and ends its threads.
   *
   * @param deadline time allowed for its requests, in ms.
   */
  stop(deadline: number): Promise<void> {
    // Without a registration it has no requests, and its module may never end to load.
    return this.group.stop({ deadline: this.registered ? deadline : 0 });
  }

  private reported(report: ModuleReport): void {
    if (report.type === 'imports') this.owner.imported(report.files);
    else if (report.type === 'inspector') this.owner.inspectable(report.port);
    else this.failure = report.failure;
  }

  private register(worker: EmbeddedWorker): EmbeddedSlot | string {
    const { contracts, router } = this.options;
    const { owner } = this;
    const name = worker.contract?.name;
    const replacing = {
      events: worker.events ?? [],
      ownsContract: name !== undefined && owner.ownsContract(name),
      contracts: owner.replacedContracts,
    };
    const { result, incompatibility } = contracts.replace(replacing, () =>
      router.register(this.versionOf(worker)),
    );
    this.incompatibility ??= incompatibility;
    if (typeof result !== 'string') {
      this.registered = true;
      this.contract = name;
      return result;
    }
    if (this.started) return result;
    // The worker need not try again: the generation is given up.
    this.refusal = result;
    router.withdraw(this.versionOf(worker));
    return NO_SLOT;
  }

  private versionOf(worker: EmbeddedWorker): Versioned {
    const known = this.versioned.get(worker) ?? new Versioned(worker, this.number);
    this.versioned.set(worker, known);
    return known;
  }
}

/**
 * A worker whose contract has a text that no other generation has. A contract that returns to an
 * earlier text would otherwise join the earlier version, while requests of that one still run, and
 * gateways would go on to serve the version between.
 */
class Versioned implements EmbeddedWorker {
  readonly id: string;
  readonly events: readonly string[] | undefined;
  readonly concurrency: number;
  readonly contract: EmbeddedWorker['contract'];

  constructor(
    private readonly worker: EmbeddedWorker,
    generation: number,
  ) {
    const { id, events, concurrency, contract } = worker;
    this.id = id;
    this.events = events;
    this.concurrency = concurrency;
    this.contract = contract && {
      name: contract.name,
      fragment: { ...(contract.fragment as object), 'x-generation': generation },
    };
  }

  onRequest(...request: Parameters<EmbeddedWorker['onRequest']>): void {
    this.worker.onRequest(...request);
  }

  onCancel(...cancel: Parameters<EmbeddedWorker['onCancel']>): void {
    this.worker.onCancel(...cancel);
  }

  onClosed(): void {
    this.worker.onClosed();
  }

  onRetry(): void {
    this.worker.onRetry();
  }
}
