/**
 * Worker modules: files whose default export defines a worker, for the command line and worker
 * threads.
 */
import { assertHandlers, type EventDefinitions } from '../contract/index.ts';
import { loadModule } from '../core/identity/load-module.ts';
import { jsonReader, type LargeIntegers } from '../core/json/large-integers.ts';
import { atCaller } from '../core/messages/caller-stack.ts';
import { ZeroMQConfigError } from '../core/messages/errors.ts';
import type { HandlerOptions } from '../runtime/handlers.ts';

/**
 * The definition of a worker, without its connections. See {@link defineWorker}.
 *
 * @typeParam Events events of the contract, from which the handlers get their types.
 */
export type WorkerDefinition<Events extends EventDefinitions = EventDefinitions> = WorkerSettings &
  HandlerOptions<Events>;

/** The definition of a worker, apart from its handlers. */
export interface WorkerSettings {
  /**
   * Type of integers in event data whose absolute value exceeds `Number.MAX_SAFE_INTEGER`, for
   * handlers and for validation by the contract. All other numbers are a `number`.
   *
   * @defaultValue `'number'`
   */
  largeIntegers?: LargeIntegers;
  /**
   * Maximum number of requests that run at a time.
   *
   * @defaultValue 64
   */
  concurrency?: number;
  /**
   * Maximum number of streams that do not count towards `concurrency` after their first chunk.
   *
   * @defaultValue 1,000
   */
  maxStreams?: number;
  /**
   * Where `ZeroMQWorkerThreads` and the command line run the module: in a thread or in a process. A
   * module that opens ZeroMQ sockets, such as those of a `ZeroMQClient`, needs a process. In a
   * thread, its first attempt to open one fails, and the worker then moves to a process.
   *
   * @defaultValue `'thread'`
   */
  isolation?: 'thread' | 'process';
  /** Called before the worker accepts requests. @defaultValue none */
  onStart?(): void | Promise<void>;
  /** Called after the last request, when the worker stops. @defaultValue none */
  onStop?(): void | Promise<void>;
}

const MARK = Symbol.for('zeromq-gateway.worker');

/**
 * Defines a worker. Make the result the default export of a file for `zeromq-gateway worker FILE`
 * and {@link ZeroMQWorkerThreads}.
 *
 * @param definition handlers and options of the worker
 * @returns the definition
 * @throws {ZeroMQConfigError} when there are no handlers, or an option has an unknown value
 * @example
 * ```ts
 * export default defineWorker({
 *   handlers: { 'tasks.get': ({ id }: { id: number }) => ({ id, title: 'Write docs' }) },
 * });
 * ```
 */
export function defineWorker<const Events extends EventDefinitions = EventDefinitions>(
  definition: WorkerDefinition<Events>,
): WorkerDefinition<Events> {
  atCaller(defineWorker, () => checkDefinition(definition as WorkerDefinition));
  return Object.defineProperty({ ...definition }, MARK, { value: true });
}

function checkDefinition({ isolation = 'thread', ...definition }: WorkerDefinition): void {
  const { contract, handlers, handleMessage, largeIntegers } = definition;
  if (handlers === undefined && handleMessage === undefined) {
    throw new ZeroMQConfigError('defineWorker: a worker needs handlers or handleMessage');
  }
  if (contract !== undefined && handleMessage === undefined) assertHandlers(contract, handlers ?? {});
  jsonReader(largeIntegers);
  if (isolation !== 'thread' && isolation !== 'process') {
    throw new ZeroMQConfigError(
      `defineWorker: isolation must be 'thread' or 'process', got ${JSON.stringify(isolation)}`,
    );
  }
}

/**
 * Loads a worker module. TypeScript files are compiled when they are loaded, by the package `tsx`
 * if it is installed, otherwise by Node.js 22.18 or later.
 *
 * @param file path or file URL of the module
 * @returns the definition that the module exports
 * @throws {ZeroMQConfigError} when the module cannot be loaded, its default export is not the
 *   result of `defineWorker`, or neither `tsx` nor Node.js compiles TypeScript
 */
export async function loadWorkerModule(file: string | URL): Promise<WorkerDefinition> {
  const { path, exported } = await loadModule(file, 'worker');
  const definition = exported.find(isDefinition);
  if (definition !== undefined) return definition;
  throw new ZeroMQConfigError(`${path}: the default export must be the result of defineWorker({ … })`);
}

function isDefinition(value: unknown): value is WorkerDefinition {
  return typeof value === 'object' && value !== null && MARK in value;
}
