/**
 * Runs the handlers of a worker module for its parent, in a thread (`thread-main.ts`) or a process
 * (`process-main.ts`).
 */

import { IdMap, ROUTER_ID_SLOTS } from '../../core/collections/id-map.ts';
import type { Logger } from '../../core/logging/logging.ts';
import type { CancelReason } from '../../core/messages/cancel-reason.ts';
import { toError } from '../../core/messages/errors.ts';
import type { ReplyMessage, RequestMessage } from '../../core/messages/message.ts';
import type { Execution, RequestExecutor } from '../../runtime/execution.ts';
import { localParts } from '../../runtime/service-node.ts';
import type { PackedSink } from '../../wire/packed.ts';
import { loadWorkerModule, type WorkerDefinition } from '../define-worker.ts';
import { announcementOf } from '../worker.ts';
import type { LoadFailure } from './module-report.ts';
import { PackedPort, type PostedRecords, type PostTarget } from './packed-port.ts';
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
  readonly isolation: 'thread' | 'process';
  readonly port: ParentPort;
  /**
   * Starts to signal to the parent that the event loop turns. Returns a function that signals once
   * more.
   */
  startPulse(): () => void;
}

/** The module's side of a `ThreadExecutor`. */
class ModuleService implements PackedSink {
  private readonly port: PackedPort;
  private readonly executions = new IdMap<Execution>(ROUTER_ID_SLOTS);

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
    let settled = false;
    const execution = this.executor.execute(message, (reply: ReplyMessage) => {
      settled = true;
      this.executions.delete(id);
      this.port.addReply(id, generation, reply);
    });
    if (!settled) this.executions.set(id, execution);
  }

  packedCancel(id: number, _generation: number, why: CancelReason): void {
    this.executions.get(id)?.cancel(why);
  }

  packedReply(): void {
    // A parent sends only requests and cancels.
  }
}

/**
 * Loads the module and runs requests of the parent until the parent stops it.
 *
 * @throws {Error} when the module cannot be loaded or its `onStart` fails
 */
export async function serveModule(environment: ModuleEnvironment, setup: ModuleSetup): Promise<void> {
  const { port, isolation } = environment;
  const post = (message: FromThread): void => port.postMessage(message);
  const definition = await load(setup, post);
  if (definition.isolation === 'process' && isolation === 'thread') {
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
    else void stop(port, definition, logger);
  });
  post({ type: 'ready', announcement: announcementOf(definition), concurrency: parts.concurrency });
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

async function stop(port: ParentPort, definition: WorkerDefinition, logger: Logger): Promise<void> {
  try {
    await definition.onStop?.();
  } catch (error) {
    logger.error({ err: toError(error) }, 'onStop of the worker module failed');
  }
  port.close();
}
