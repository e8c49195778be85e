/** Runs a worker and a gateway in memory, for tests. */
import { randomUUID } from 'node:crypto';
import type { OpenAPIV3_1 } from 'openapi-types';
import type { Gateway } from '../gateway/index.ts';
import {
  type Caller,
  type CallsOf,
  type ClientSendOptions,
  type Contract,
  createCaller,
  type EventCaller,
  type EventDefinitions,
  type Handlers,
  type Logger,
  silentLogger,
  type WorkerDefinition,
  ZeroMQConfigError,
  ZeroMQError,
  type ZeroMQReply,
  ZeroMQWorker,
  type ZeroMQWorkerOptions,
} from '../index.ts';
import { ErrorLog } from './error-log.ts';
import { memoryFetch } from './memory-fetch.ts';
import { MemoryRouter, type RequestMessage } from './memory-router.ts';
import { TestClock } from './test-clock.ts';
import type { TestDocument, TestGatewayOptions } from './test-gateway.ts';

/** How long {@link TestWorker.close} waits for handlers that still run, in milliseconds. */
const CLOSE_TIME = 100;

/** Options of {@link testWorker}. */
export interface TestWorkerOptions {
  /**
   * Handlers for the events that the worker calls with `context.call`, by event name. They take
   * precedence over the handlers of the worker.
   *
   * @defaultValue none: a call of an event that the worker does not serve itself fails with
   *   `NO_WORKER`
   */
  readonly fakes?: Handlers;
  /**
   * OpenAPI documents for {@link TestWorker.fetch}, for events without a contract: files, or the
   * documents themselves.
   *
   * @defaultValue none: `fetch` serves the contract of the worker
   */
  readonly openapi?: TestDocument | readonly TestDocument[];
  /**
   * Settings of the gateway behind {@link TestWorker.fetch}, such as `auth`.
   *
   * @defaultValue the defaults of `createGateway`
   */
  readonly gateway?: TestGatewayOptions;
  /**
   * Receives the log of worker and gateway.
   *
   * @defaultValue a logger that discards all entries
   */
  readonly logger?: Logger;
}

/** A request that a worker under test sent with `context.call`. */
export interface TestCall {
  /** Name of the event. */
  readonly eventName: string;
  /** Event data. */
  readonly data: unknown;
  /** Request timeout in milliseconds. */
  readonly timeout: number;
  /** Whether the request may run twice. */
  readonly idempotent: boolean;
  /** Id of the request that the worker handled when it sent this one. */
  readonly requestId: string;
  /** The authenticated caller that was passed on; undefined if there was none. */
  readonly caller: Caller | undefined;
}

/**
 * A worker that runs in memory; see {@link testWorker}.
 *
 * @typeParam Events events of its contract.
 */
export interface TestWorker<Events extends EventDefinitions = EventDefinitions>
  extends EventCaller<CallsOf<Events>>,
    AsyncDisposable {
  /**
   * Sends an HTTP request through a gateway that serves the contract of the worker. The gateway
   * runs in memory; all of it is real, from the HTTP parser to the response.
   *
   * @param input path such as `/tasks/7`, URL or request; its host does not matter.
   * @param init as for the global `fetch`.
   * @returns the response. Redirects are not followed, and content codings are not decoded.
   * @throws {ZeroMQConfigError} when the worker has neither a contract nor documents.
   */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** The requests that the worker sent with `context.call`, in order. Tests may clear the list. */
  readonly calls: TestCall[];
  /**
   * Errors that handlers threw, other than `ReplyError`. Callers see `HANDLER_ERROR` without
   * detail; {@link TestWorker.call} adds the error as `cause`.
   */
  readonly errors: readonly Error[];
  /** The clock of the worker. Deadlines pass only when the test advances it. */
  readonly clock: TestClock;
  /**
   * Returns the OpenAPI document that the gateway serves.
   *
   * @throws {ZeroMQConfigError} when the worker has neither a contract nor documents.
   */
  openapi(): Promise<OpenAPIV3_1.Document>;
  /**
   * Stops the worker: calls `onStop`, and aborts the signals of handlers that still run after
   * 100 ms. Further calls return the same promise.
   */
  close(): Promise<void>;
}

/**
 * Runs a worker in memory, with its real validation, middleware and error handling, but without
 * ports, sockets and router.
 *
 * @param definition what `defineWorker` returned, such as the default export of a worker file.
 * @param options fakes of the events that the worker calls, and settings of the gateway.
 * @returns the running worker. Close it at the end of the test, or declare it with `await using`.
 * @throws {ZeroMQConfigError} when the definition is not valid.
 * @throws {Error} what `onStart` of the definition throws.
 * @example
 * ```ts
 * import tasks from '../workers/tasks.ts';
 *
 * await using worker = await testWorker(tasks, { fakes: { 'mail.send': () => ({ sent: true }) } });
 * assert.equal((await worker.call('tasks.get', { id: 7 })).title, 'Write docs');
 * assert.equal((await worker.fetch('/tasks/8')).status, 404);
 * assert.deepEqual(worker.calls, []);
 * ```
 */
export async function testWorker<const Events extends EventDefinitions = EventDefinitions>(
  definition: WorkerDefinition<Events>,
  options: TestWorkerOptions = {},
): Promise<TestWorker<Events>> {
  const worker = new RunningWorker(definition as WorkerDefinition, options);
  await worker.start();
  return worker as unknown as TestWorker<Events>;
}

class RunningWorker implements TestWorker {
  readonly calls: TestCall[] = [];
  readonly clock = new TestClock();
  private readonly log = new ErrorLog();
  private readonly logger: Logger;
  private readonly router: MemoryRouter;
  private readonly nodes: readonly ZeroMQWorker[];
  private readonly caller: EventCaller<CallsOf<EventDefinitions>>;
  private gateway: Promise<Gateway> | undefined;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly definition: WorkerDefinition,
    private readonly options: TestWorkerOptions,
  ) {
    const { fakes = {}, logger = silentLogger } = options;
    const { clock } = this;
    this.logger = this.log.watch(logger);
    this.router = new MemoryRouter({ clock, onCall: (message) => this.calls.push(callOf(message)) });
    const own: ZeroMQWorkerOptions = {
      ...definition,
      connection: this.router.worker,
      clock,
      logger: this.logger,
    };
    const others: ZeroMQWorkerOptions = {
      handlers: fakes,
      connection: this.router.fakes,
      concurrency: 10_000,
      clock,
      logger: this.logger,
    };
    this.nodes = [new ZeroMQWorker(own), new ZeroMQWorker(others)];
    this.caller = this.newCaller(definition.contract);
  }

  get errors(): readonly Error[] {
    return this.log.errors;
  }

  readonly call: EventCaller<CallsOf<EventDefinitions>>['call'] = (...args) => this.caller.call(...args);

  readonly sendMessage: EventCaller<CallsOf<EventDefinitions>>['sendMessage'] = (...args) =>
    this.caller.sendMessage(...args);

  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> =>
    memoryFetch((await this.openGateway()).server, input, init);

  async start(): Promise<void> {
    await this.definition.onStart?.();
    await Promise.all(this.nodes.map((node) => node.start()));
  }

  async openapi(): Promise<OpenAPIV3_1.Document> {
    return (await this.openGateway()).openapi();
  }

  close(): Promise<void> {
    return (this.closing ??= this.stop());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async stop(): Promise<void> {
    const gateway = await this.gateway?.catch(() => undefined);
    const deadline = CLOSE_TIME;
    // The timers of the nodes do not keep the process alive, and here nothing else may.
    const hold = setInterval(() => undefined, CLOSE_TIME);
    try {
      await Promise.all([gateway?.close({ deadline }), ...this.nodes.map((node) => node.stop({ deadline }))]);
      await this.definition.onStop?.();
    } finally {
      clearInterval(hold);
    }
  }

  /** Creates the gateway on first use: most tests send events only. */
  private openGateway(): Promise<Gateway> {
    return (this.gateway ??= this.newGateway());
  }

  private async newGateway(): Promise<Gateway> {
    const { openapi = [], gateway } = this.options;
    const documents = Array.isArray(openapi) ? (openapi as readonly TestDocument[]) : [openapi];
    const { contract } = this.definition;
    if (contract === undefined && documents.length === 0) {
      throw new ZeroMQConfigError(
        'fetch needs HTTP routes: give the worker a contract, or pass an OpenAPI document with the option openapi',
      );
    }
    const { newTestGateway } = await import('./test-gateway.ts');
    return newTestGateway(this.router, contract, documents, { logger: this.logger, ...gateway });
  }

  /** Creates the caller of the test. Its failures have the error of the handler as their cause. */
  private newCaller(contract: Contract | undefined): EventCaller<CallsOf<EventDefinitions>> {
    const router = createCaller<CallsOf<EventDefinitions>>(this.router);
    const sendMessage = async <Data>(
      eventName: string,
      data?: unknown,
      options: ClientSendOptions = {},
    ): Promise<ZeroMQReply<Data>> => {
      const requestId = options.requestId ?? randomUUID();
      try {
        return (await router.sendMessage(eventName, data, { ...options, requestId })) as ZeroMQReply<Data>;
      } catch (error) {
        const cause = this.log.of(requestId);
        if (error instanceof ZeroMQError && error.code === 'HANDLER_ERROR' && cause !== undefined) {
          Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true });
        }
        throw error;
      }
    };
    return contract === undefined
      ? createCaller<CallsOf<EventDefinitions>>({ sendMessage })
      : createCaller({ sendMessage }, contract);
  }
}

function callOf(message: RequestMessage): TestCall {
  const { eventName, body, timeLeft: timeout, idempotent, requestId, extras } = message;
  const data: unknown = JSON.parse(body.toString());
  const { caller } = (extras.length === 0 ? {} : JSON.parse(extras.toString())) as { caller?: Caller };
  return { eventName, data, timeout, idempotent, requestId, caller };
}
