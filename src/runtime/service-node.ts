/**
 * service: what workers and servers share: handlers, the executor that runs them, and the life of such a node. A
 * `ServiceNode` is given requests by its links: a worker's links lead to routers, a server's link is a frontend.
 */
import { assertHandlers, type Contract } from '../contract/index.ts';
import { Emitter } from '../core/collections/emitter.ts';
import { loadIdentity, type NodeIdentity } from '../core/identity/identity.ts';
import type { LargeIntegers } from '../core/json/large-integers.ts';
import { defaultLogger, type Logger } from '../core/logging/logging.ts';
import { cancelError } from '../core/messages/cancel-reason.ts';
import { checkCount } from '../core/messages/checks.ts';
import { ZeroMQConfigError, ZeroMQError } from '../core/messages/errors.ts';
import type { ReplyMessage, RequestMessage } from '../core/messages/message.ts';
import { Lifecycle } from '../core/observability/lifecycle.ts';
import type { ZeroMQSocketMonitor } from '../transport/libzmq/socket-monitor.ts';
import { MAX_MESSAGE_BYTES } from '../wire/limits.ts';
import type { Execution, RequestExecutor } from './execution.ts';
import { Executor } from './executor.ts';
import type { Handlers, MessageHandler } from './handlers.ts';

/** Options that workers and servers share. */
export interface ServiceOptions {
  /** Handlers by event name. */
  handlers?: Handlers;
  /** Handles every event that `handlers` does not name; its result is the reply's event data. */
  handleMessage?: MessageHandler;
  /** Contract of the handlers: checks data on arrival, and goes to the routers for the gateways. */
  contract?: Contract;
  /**
   * What handlers, and the contract's check before them, get for integers whose absolute value is more than
   * `Number.MAX_SAFE_INTEGER`: a double, a bigint or a text. Every other number is a `number`.
   *
   * @defaultValue `'number'`
   */
  largeIntegers?: LargeIntegers;
  /** Requests that run at a time. Default 64. */
  concurrency?: number;
  /** Requests that may wait for their turn where a router does not see to it. Default 10,000. */
  maxQueue?: number;
  /** Bytes of their data, and 512 for each. Default 256 MiB. */
  maxQueueBytes?: number;
  /** Largest message in bytes, either way. Default 16 MiB. */
  maxMessageSize?: number;
  /** File that keeps the node id (`config.ini`); without one the id is new at each start. */
  configFile?: string;
  logger?: Logger;
}

/** A way for requests to come in. */
export interface RuntimeLink {
  /** Events of its socket, where it has one. */
  readonly monitor: ZeroMQSocketMonitor | undefined;
  /** Takes no new requests where that can be said; resolves when the other side knows, or cannot. */
  leave(signal: AbortSignal): Promise<void>;
  /** Sends what is gathered and closes the socket. */
  close(): void;
}

/** What links need of their node. */
export interface ServiceHost {
  readonly logger: Logger;
  execute(message: RequestMessage, settle: (reply: ReplyMessage) => void): Execution;
}

/** What a node is made of. */
export interface ServiceParts {
  readonly executor: RequestExecutor;
  readonly concurrency: number;
  readonly maxMessageSize: number;
  readonly configFile: string | undefined;
  readonly logger: Logger;
}

/**
 * The parts of a node that runs its handlers in this thread.
 *
 * @throws ZeroMQConfigError naming the option that is not acceptable.
 */
export function localParts(kind: 'worker' | 'server', options: ServiceOptions): ServiceParts {
  const { handlers, handleMessage, contract, configFile } = options;
  const { concurrency = 64, maxQueue = 10_000, maxQueueBytes = 256 * 1024 * 1024 } = options;
  const { maxMessageSize = MAX_MESSAGE_BYTES } = options;
  if (handlers === undefined && handleMessage === undefined) {
    throw new ZeroMQConfigError(`a ${kind} needs handlers or handleMessage`);
  }
  checkHandlers(handlers ?? {}, handleMessage);
  checkCount('concurrency', concurrency);
  checkCount('maxQueue', maxQueue, 0);
  checkCount('maxQueueBytes', maxQueueBytes, 0);
  checkCount('maxMessageSize', maxMessageSize);
  if (contract !== undefined && handleMessage === undefined) assertHandlers(contract, handlers ?? {});
  const logger = (options.logger ?? defaultLogger()).child({ node: kind });
  const executor = new Executor({
    handlers,
    handleMessage,
    validator: contract,
    largeIntegers: options.largeIntegers,
    concurrency,
    maxQueue,
    maxQueueBytes,
    maxReplyBytes: maxMessageSize,
    logger,
  });
  return { executor, concurrency, maxMessageSize, configFile, logger };
}

function checkHandlers(handlers: Handlers, handleMessage: MessageHandler | undefined): void {
  const wrong = Object.entries(handlers).find(([, handler]) => typeof handler !== 'function');
  if (wrong !== undefined) {
    throw new ZeroMQConfigError(
      `handlers: ${JSON.stringify(wrong[0])} must be a function, got ${typeof wrong[1]}`,
    );
  }
  if (handleMessage !== undefined && typeof handleMessage !== 'function') {
    throw new ZeroMQConfigError(`handleMessage must be a function, got ${typeof handleMessage}`);
  }
}

/** Base of worker and server. */
export abstract class ServiceNode<Opened, Events extends Record<keyof Events, unknown[]>>
  extends Emitter<Events>
  implements ServiceHost, AsyncDisposable
{
  readonly logger: Logger;
  protected readonly concurrency: number;
  protected readonly maxMessageSize: number;
  protected readonly speaker: { readonly kind: 'worker' | 'server'; node: string };
  private readonly lifecycle: Lifecycle<Opened>;
  private readonly executor: RequestExecutor;
  private readonly configFile: string | undefined;
  private self: NodeIdentity | undefined;

  constructor(kind: 'worker' | 'server', parts: ServiceParts) {
    super();
    this.speaker = { kind, node: kind };
    this.configFile = parts.configFile;
    this.logger = parts.logger;
    this.concurrency = parts.concurrency;
    this.maxMessageSize = parts.maxMessageSize;
    this.executor = parts.executor;
    this.lifecycle = new Lifecycle<Opened>(this.speaker, {
      logger: this.logger,
      open: () => this.openAs(),
      drain: (signal) => this.drain(signal),
      release: (error) => this.release(error),
    });
  }

  /**
   * Node id, session id and socket identity.
   *
   * @throws ZeroMQError with code `NOT_STARTED` before `start()` has read the config file.
   */
  get identity(): NodeIdentity {
    if (this.self !== undefined) return this.self;
    throw new ZeroMQError('NOT_STARTED', `the ${this.speaker.kind} is not started`);
  }

  /** Settles once, when the node is closed: with the error that ended it, or undefined. */
  get closed(): Promise<Error | undefined> {
    return this.lifecycle.closed;
  }

  /** Events of the sockets, one for each connection; none before `start()`. */
  get monitors(): readonly ZeroMQSocketMonitor[] {
    return this.links().flatMap(({ monitor }) => monitor ?? []);
  }

  /** Requests that run or wait here. */
  get load(): number {
    return this.executor.load;
  }

  /**
   * Opens the sockets. A second call gives the same promise.
   *
   * @throws ZeroMQSocketInvalid when an address cannot be used.
   */
  start(): Promise<Opened> {
    return this.lifecycle.start();
  }

  /**
   * Stops: takes nothing new, finishes what it holds, closes. Idempotent.
   *
   * @param options.deadline ms after which what still runs is cut. Default 10,000.
   */
  stop(options: { deadline?: number } = {}): Promise<void> {
    return this.lifecycle.close(options.deadline);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  execute(message: RequestMessage, settle: (reply: ReplyMessage) => void): Execution {
    return this.executor.execute(message, settle);
  }

  /** Cuts: closes at once, nothing that runs is answered. */
  protected cut(error: Error): Promise<void> {
    return this.lifecycle.destroy(error);
  }

  /** Opens the links. The identity is known by then. */
  protected abstract open(): Promise<Opened>;

  /** The links that `open` made. */
  protected abstract links(): readonly RuntimeLink[];

  /** From now on links neither come nor go. */
  protected stopChanges(): void {
    // A node whose links are always the same.
  }

  /** Frees what is not a link. */
  protected releaseRest(): void {
    // A node that has nothing but links.
  }

  private async openAs(): Promise<Opened> {
    this.self = await loadIdentity(this.configFile, this.speaker.kind);
    this.speaker.node = this.self.identity;
    return this.open();
  }

  private async drain(signal: AbortSignal): Promise<void> {
    this.stopChanges();
    await Promise.all(this.links().map((link) => link.leave(signal)));
    await this.executor.drained();
  }

  private release(error: Error | undefined): void {
    this.stopChanges();
    this.executor.close(error ?? cancelError('stopped'));
    for (const link of this.links()) link.close();
    this.releaseRest();
  }
}
