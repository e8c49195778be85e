/**
 * The base of workers and servers: handlers, the executor that runs them, and the lifecycle of the
 * node. A `ServiceNode` receives requests through links. A worker's links lead to routers; a
 * server's link is a frontend.
 */
import { assertHandlers, streamRulesOf } from '../contract/index.ts';
import { Emitter } from '../core/collections/emitter.ts';
import { loadIdentity, type NodeIdentity } from '../core/identity/identity.ts';
import type { LargeIntegers } from '../core/json/large-integers.ts';
import { defaultLogger, type Logger } from '../core/logging/logging.ts';
import type { CallSource } from '../core/messages/calls.ts';
import { cancelError } from '../core/messages/cancel-reason.ts';
import { checkCount } from '../core/messages/checks.ts';
import { ZeroMQConfigError, ZeroMQError } from '../core/messages/errors.ts';
import type { ReplyMessage, RequestMessage } from '../core/messages/message.ts';
import { DEFAULT_MAX_STREAMS } from '../core/messages/stream.ts';
import { diagnostics } from '../core/observability/diagnostics.ts';
import { Lifecycle } from '../core/observability/lifecycle.ts';
import { type Clock, systemClock } from '../core/time/clock.ts';
import type { ZeroMQSocketMonitor } from '../transport/libzmq/socket-monitor.ts';
import { MAX_MESSAGE_BYTES } from '../wire/limits.ts';
import type { Execution, ExecutionStream, RequestExecutor } from './execution.ts';
import { Executor } from './executor.ts';
import type { HandlerOptions, Handlers, MessageHandler } from './handlers.ts';
import { withMiddlewares } from './middleware-chain.ts';

/** Options that workers and servers share, apart from their handlers. */
export interface ServiceOptions {
  /**
   * Type of integers in event data whose absolute value exceeds `Number.MAX_SAFE_INTEGER`, for
   * handlers and for validation by the contract. All other numbers are a `number`.
   *
   * @defaultValue `'number'`
   */
  largeIntegers?: LargeIntegers;
  /**
   * Maximum number of requests that run at a time.
   * @defaultValue 64
   */
  concurrency?: number;
  /**
   * Maximum number of streams that do not count towards `concurrency` after their first chunk.
   * Further streams count until they end.
   * @defaultValue 1,000
   */
  maxStreams?: number;
  /**
   * Maximum number of queued requests. It matters where no router limits them: for servers and
   * behind classic routers.
   * @defaultValue 10,000
   */
  maxQueue?: number;
  /**
   * Maximum size of the queue in bytes: the data of its requests, and 512 bytes per request.
   * @defaultValue 256 MiB
   */
  maxQueueBytes?: number;
  /**
   * Maximum size of a received or sent message in bytes.
   * @defaultValue 16 MiB
   */
  maxMessageSize?: number;
  /**
   * File that stores the node id (`config.ini`, with a section for each kind of node).
   *
   * @defaultValue none: each start creates a new node id
   */
  configFile?: string;
  /**
   * Logger of the node.
   * @defaultValue the logger of `setupLogging()`; without that call, warnings and errors on stderr
   */
  logger?: Logger;
  /**
   * Clock of the deadlines of requests. Tests replace it to make a deadline pass without waiting.
   *
   * @defaultValue the clock of the system
   */
  clock?: Clock;
}

/** A source of requests. */
export interface RuntimeLink {
  /** Monitor of its socket, if it has one. */
  readonly monitor: ZeroMQSocketMonitor | undefined;
  /**
   * Asks the peer to dispatch no further requests. Resolves when the peer has confirmed, or cannot
   * confirm.
   */
  leave(signal: AbortSignal): Promise<void>;
  /** Sends buffered messages and closes the socket. */
  close(): void;
}

/** The node, as seen by its links. */
export interface ServiceHost {
  readonly logger: Logger;
  /** See {@link RequestExecutor}. */
  execute: RequestExecutor['execute'];
}

/** Components of a node. */
export interface ServiceParts {
  readonly executor: RequestExecutor;
  readonly concurrency: number;
  readonly maxStreams: number;
  readonly maxMessageSize: number;
  readonly configFile: string | undefined;
  readonly logger: Logger;
}

/**
 * Creates the components of a node that runs its handlers in this thread.
 *
 * @throws {ZeroMQConfigError} for an invalid option; the message has its name.
 */
export function localParts(
  kind: 'worker' | 'server',
  options: ServiceOptions & HandlerOptions,
): ServiceParts {
  const { handlers, handleMessage, contract, configFile } = options;
  const { concurrency = 64, maxQueue = 10_000, maxQueueBytes = 256 * 1024 * 1024 } = options;
  const { maxMessageSize = MAX_MESSAGE_BYTES, maxStreams = DEFAULT_MAX_STREAMS } = options;
  if (handlers === undefined && handleMessage === undefined) {
    throw new ZeroMQConfigError(`a ${kind} needs handlers or handleMessage`);
  }
  checkHandlers(handlers ?? {}, handleMessage);
  checkCount('concurrency', concurrency);
  checkCount('maxStreams', maxStreams, 0);
  checkCount('maxQueue', maxQueue, 0);
  checkCount('maxQueueBytes', maxQueueBytes, 0);
  checkCount('maxMessageSize', maxMessageSize);
  if (contract !== undefined && handleMessage === undefined) assertHandlers(contract, handlers ?? {});
  const logger = (options.logger ?? defaultLogger()).child({ node: kind });
  const executor = new Executor({
    ...withMiddlewares(options, logger),
    validator: contract,
    largeIntegers: options.largeIntegers,
    concurrency,
    sharesSlots: kind === 'server',
    maxQueue,
    maxQueueBytes,
    maxReplyBytes: maxMessageSize,
    maxStreams,
    streams: contract && streamRulesOf(contract),
    logger,
    clock: options.clock,
  });
  return { executor, concurrency, maxStreams, maxMessageSize, configFile, logger };
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

/** Base class of workers and servers. */
export abstract class ServiceNode<Opened, Events extends Record<keyof Events, unknown[]>>
  extends Emitter<Events>
  implements ServiceHost, AsyncDisposable
{
  /** Logger of the node. */
  readonly logger: Logger;
  protected readonly concurrency: number;
  protected readonly maxStreams: number;
  protected readonly maxMessageSize: number;
  protected readonly source: { readonly kind: 'worker' | 'server'; node: string };
  private readonly lifecycle: Lifecycle<Opened>;
  private readonly executor: RequestExecutor;
  private readonly configFile: string | undefined;
  private self: NodeIdentity | undefined;

  constructor(kind: 'worker' | 'server', parts: ServiceParts) {
    super();
    this.source = { kind, node: kind };
    this.configFile = parts.configFile;
    this.logger = parts.logger;
    this.concurrency = parts.concurrency;
    this.maxStreams = parts.maxStreams;
    this.maxMessageSize = parts.maxMessageSize;
    this.executor = parts.executor;
    this.lifecycle = new Lifecycle<Opened>(this.source, {
      logger: this.logger,
      open: () => this.openAs(),
      drain: (signal) => this.drain(signal),
      release: (error) => this.release(error),
    });
  }

  /**
   * Node id, session id and socket identity.
   *
   * @throws {ZeroMQError} with code `NOT_STARTED` before `start()` has read the config file.
   */
  get identity(): NodeIdentity {
    if (this.self !== undefined) return this.self;
    throw new ZeroMQError('NOT_STARTED', `the ${this.source.kind} is not started`);
  }

  /**
   * Resolves once the node is closed: with the error that ended it, or undefined. Never rejects.
   */
  get closed(): Promise<Error | undefined> {
    return this.lifecycle.closed;
  }

  /** Monitors of the sockets, one per connection; empty before `start()`. */
  get monitors(): readonly ZeroMQSocketMonitor[] {
    return this.links().flatMap(({ monitor }) => monitor ?? []);
  }

  /**
   * Maximum number of requests that run at a time.
   *
   * @internal
   */
  get capacity(): number {
    return this.concurrency;
  }

  /** Number of queued and running requests. */
  get load(): number {
    return this.executor.load;
  }

  /**
   * Opens the sockets. Repeated calls return the same promise.
   *
   * @throws {ZeroMQSocketInvalid} when an address cannot be used.
   */
  start(): Promise<Opened> {
    return this.lifecycle.start();
  }

  /**
   * Stops the node: it accepts nothing new, finishes what is in flight, and closes. Idempotent.
   *
   * @param options `deadline`: milliseconds until running requests are cut; default 10,000.
   */
  stop(options: { deadline?: number } = {}): Promise<void> {
    return this.lifecycle.close(options.deadline);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Runs a request; called by the links.
   *
   * @internal
   */
  execute(
    message: RequestMessage,
    settle: (reply: ReplyMessage) => void,
    source?: CallSource,
    stream?: ExecutionStream,
  ): Execution {
    const measured = diagnostics.executionSettled.hasSubscribers ? this.measured(message, settle) : settle;
    return this.executor.execute(message, measured, source, stream);
  }

  /** Publishes the outcome and the duration of a request. */
  private measured(
    { eventName }: RequestMessage,
    settle: (reply: ReplyMessage) => void,
  ): (reply: ReplyMessage) => void {
    const began = systemClock.now();
    return (reply) => {
      settle(reply);
      if (reply.more) return;
      const duration = systemClock.now() - began;
      diagnostics.executionSettled.publish({ ...this.source, eventName, code: reply.code, duration });
    };
  }

  /** Closes at once, without answering running requests. */
  protected cut(error: Error): Promise<void> {
    return this.lifecycle.destroy(error);
  }

  /** Opens the links. The identity is known by then. */
  protected abstract open(): Promise<Opened>;

  /** The links that `open` created. */
  protected abstract links(): readonly RuntimeLink[];

  /** Freezes the set of links before draining. */
  protected stopChanges(): void {
    // For nodes whose links never change.
  }

  /** Frees resources other than links. */
  protected releaseRest(): void {
    // For nodes that have only links.
  }

  private async openAs(): Promise<Opened> {
    this.self = await loadIdentity(this.configFile, this.source.kind);
    this.source.node = this.self.identity;
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
