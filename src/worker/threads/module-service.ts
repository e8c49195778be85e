/**
 * Runs the handlers of a worker module for its parent, in a thread (`thread-main.ts`), a process
 * (`process-main.ts`) or the thread of the parent (`module-in-parent.ts`).
 */

import { ROUTER_ID_SLOTS } from '../../core/collections/id-map.ts';
import { SlotTable, type Slotted } from '../../core/collections/slot-table.ts';
import type { Logger } from '../../core/logging/logging.ts';
import type { CallParent, CallSource } from '../../core/messages/calls.ts';
import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import { toError } from '../../core/messages/errors.ts';
import type {
  Cancellable,
  InFlight,
  ReplyMessage,
  RequestMessage,
  Settle,
  StreamPort,
} from '../../core/messages/message.ts';
import { startSpanExport } from '../../core/observability/span-export.ts';
import { type Execution, type RequestExecutor, streamOf } from '../../runtime/execution.ts';
import { ExecutionTable } from '../../runtime/execution-table.ts';
import { localParts } from '../../runtime/service-node.ts';
import type { PackedSink } from '../../wire/packed.ts';
import { loadWorkerModule, type WorkerDefinition } from '../define-worker.ts';
import { announcementOf } from '../worker.ts';
import type { LoadFailure } from './module-report.ts';
import { PackedPort, type PostedRecords, type PostTarget } from './packed-port.ts';
import { stallLimitsOf } from './stall-limits.ts';
import { threadLogger } from './thread-logger.ts';
import { type FromThread, isPosted, type ModuleSetup, type ToThread } from './thread-messages.ts';

/** The port to the parent. */
export interface ParentPort extends PostTarget {
  on(event: 'message', listener: (message: ToThread) => void): unknown;
  /** Ends the thread or process once no work is left. */
  close(): void;
}

/** The environment in which a module runs. */
export interface ModuleEnvironment {
  /** Whether the module may open ZeroMQ sockets. */
  readonly mayOpenSockets: boolean;
  readonly port: ParentPort;
  /**
   * Starts to signal to the parent that the event loop turns. Returns a function that signals once
   * more.
   */
  startPulse(): () => void;
}

/** A call in flight. */
class SentCall implements Slotted {
  id = 0;
  generation = 0;

  constructor(
    readonly settle: Settle,
    readonly stream: StreamPort | undefined,
  ) {}
}

/** A request of the parent; it sends the calls of its handler to the parent. */
class ModuleRequest implements CallSource {
  execution: Execution | undefined;

  constructor(
    private readonly service: ModuleService,
    private readonly id: number,
    readonly generation: number,
  ) {}

  call(message: RequestMessage, depth: number, settle: Settle): Cancellable {
    const { id, generation } = this;
    return this.service.call(message, { id, generation, depth }, settle);
  }

  stream(message: RequestMessage, depth: number, settle: Settle, port: StreamPort): InFlight {
    const { id, generation } = this;
    return this.service.stream(message, { id, generation, depth }, settle, port);
  }
}

/** The module's side of a `ThreadExecutor`. */
class ModuleService implements PackedSink {
  private readonly port: PackedPort;
  private readonly requests = new ExecutionTable<ModuleRequest>(ROUTER_ID_SLOTS);
  private readonly calls = new SlotTable<SentCall>();

  constructor(
    port: PostTarget,
    private readonly executor: RequestExecutor,
    private readonly beat: () => void,
  ) {
    this.port = new PackedPort(port, this);
  }

  received(posted: PostedRecords): void {
    this.port.received(posted);
  }

  packedRequest(id: number, generation: number, message: RequestMessage): void {
    // Blocking handlers run one after the other in one turn. Each start counts as a beat, so that
    // the thread does not count as stalled.
    this.beat();
    const request = new ModuleRequest(this, id, generation);
    this.requests.set(id, request);
    const settle = (reply: ReplyMessage): void => {
      if (!reply.more) this.requests.delete(id);
      this.port.addReply(id, generation, reply);
    };
    const stream = streamOf(message, (bytes) => {
      if (this.requests.get(id) === request) this.port.addWindow(id, generation, bytes);
    });
    request.execution = this.executor.execute(message, settle, request, stream);
  }

  /** Ends event streams: the worker accepts no more requests. */
  drain(): void {
    void this.executor.drained();
  }

  call(message: RequestMessage, parent: CallParent, settle: Settle): Cancellable {
    const call = this.send(message, parent, new SentCall(settle, undefined));
    return { cancel: () => this.cancelCall(call) };
  }

  stream(message: RequestMessage, parent: CallParent, settle: Settle, port: StreamPort): InFlight {
    const call = this.send(message, parent, new SentCall(settle, port));
    const { id, generation } = call;
    const isPending = (): boolean => this.calls.get(id, generation) === call;
    return {
      cancel: () => this.cancelCall(call),
      grant: (bytes) => {
        if (isPending()) this.port.addCallWindow(id, generation, bytes);
      },
      sendChunk: (body, end) => {
        if (isPending()) this.port.addChunk(id, generation, body, end);
      },
    };
  }

  private send(message: RequestMessage, parent: CallParent, call: SentCall): SentCall {
    this.calls.add(call);
    this.port.addCall(call.id, call.generation, message, parent);
    return call;
  }

  private cancelCall(call: SentCall): void {
    const { id, generation } = call;
    if (this.calls.remove(call)) this.port.addCancel(id, generation);
  }

  packedCancel(id: number, generation: number, why: CancelReason): void {
    this.requests.cancel(id, generation, why);
  }

  packedChunk(id: number, generation: number, body: Buffer, end: boolean): void {
    this.requests.chunk(id, generation, body, end);
  }

  packedWindow(id: number, generation: number, bytes: number): void {
    this.requests.window(id, generation, bytes);
  }

  packedCallWindow(id: number, generation: number, bytes: number): void {
    this.calls.get(id, generation)?.stream?.onWindow(bytes);
  }

  packedReply(id: number, generation: number, reply: ReplyMessage): void {
    const call = this.calls.get(id, generation);
    if (call === undefined) return;
    if (!reply.more) {
      if (this.calls.remove(call)) call.settle(reply);
    } else if (call.stream === undefined) call.settle(reply);
    else call.stream.onChunk(reply);
  }
}

/**
 * Loads the module and runs requests of the parent until the parent stops it.
 *
 * @throws {Error} when the module cannot be loaded or its `onStart` fails
 */
export async function serveModule(environment: ModuleEnvironment, setup: ModuleSetup): Promise<void> {
  const { port, mayOpenSockets } = environment;
  const post = (message: FromThread): void => port.postMessage(message);
  const endSpans = setup.spans === undefined ? undefined : await startSpanExport(setup.spans);
  const definition = await load(setup, post);
  if (definition.isolation === 'process' && !mayOpenSockets) {
    post({ type: 'needs-process' });
    return;
  }
  const { maxMessageSize, concurrency = definition.concurrency } = setup;
  const logger = threadLogger(post);
  const parts = localParts('worker', { ...definition, concurrency, maxMessageSize, logger });
  const service = new ModuleService(port, parts.executor, environment.startPulse());
  await definition.onStart?.();
  port.on('message', (message) => {
    if (isPosted(message)) service.received(message);
    else if (message.type === 'drain') service.drain();
    else void stop(port, definition, logger, endSpans);
  });
  const { maxStreams } = parts;
  post({
    type: 'ready',
    announcement: announcementOf(definition, setup.module),
    concurrency: parts.concurrency,
    maxStreams,
    stallLimits: stallLimitsOf(definition),
  });
}

/** Loads the module. While it is developed, the parent learns its imports and why it fails. */
async function load(
  { module, reports }: ModuleSetup,
  post: (message: FromThread) => void,
): Promise<WorkerDefinition> {
  if (!reports) return loadWorkerModule(module);
  const { ImportTracking } = await import('./import-tracking.ts');
  const tracking = new ImportTracking((files) => post({ type: 'imports', files }));
  try {
    return await loadWorkerModule(module);
  } catch (error) {
    tracking.flush();
    post({ type: 'load-failed', failure: await failureOf(error, tracking.files) });
    throw error;
  } finally {
    tracking.flush();
  }
}

/** Describes the error that the module threw, without the errors that wrap it. */
async function failureOf(thrown: unknown, files: readonly string[]): Promise<LoadFailure> {
  let error = toError(thrown);
  while (error.cause instanceof Error) error = toError(error.cause);
  const { name, message, stack = '' } = error;
  const { code } = error as { code?: unknown };
  if (name === 'SyntaxError' && stack.startsWith(name)) {
    const { syntaxErrorIn } = await import('./syntax-check.ts');
    return { name, message, stack: syntaxErrorIn(files) ?? stack, code: undefined };
  }
  return { name, message, stack, code: typeof code === 'string' ? code : undefined };
}

async function stop(
  port: ParentPort,
  definition: WorkerDefinition,
  logger: Logger,
  endSpans: (() => Promise<void>) | undefined,
): Promise<void> {
  try {
    await definition.onStop?.();
  } catch (error) {
    logger.error({ err: toError(error) }, 'onStop of the worker module failed');
  }
  await endSpans?.();
  port.close();
}
