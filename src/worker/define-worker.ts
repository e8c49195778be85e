/**
 * Worker modules: files whose default export defines a worker, for the command line and worker
 * threads.
 */
import { extname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { assertHandlers, type EventDefinitions } from '../contract/index.ts';
import { isCode } from '../core/identity/file-lock.ts';
import { missingPackage } from '../core/identity/optional-package.ts';
import { jsonReader, type LargeIntegers } from '../core/json/large-integers.ts';
import { atCaller, positionOf } from '../core/messages/caller-stack.ts';
import { toError, ZeroMQConfigError } from '../core/messages/errors.ts';
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
  const path = file instanceof URL || file.startsWith('file:') ? fileURLToPath(file) : resolve(file);
  if (['.ts', '.mts', '.cts'].includes(extname(path))) await registerTypeScript();
  // Stacks of compiled modules then show the line of their source, as tsx does for TypeScript.
  else process.setSourceMapsEnabled(true);
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as { default?: unknown };
  } catch (cause) {
    throw new ZeroMQConfigError(`cannot load the worker ${path}: ${reasonOf(toError(cause))}`, { cause });
  }
  const definition = [module.default, defaultOf(module.default)].find(isDefinition);
  if (definition !== undefined) return definition;
  throw new ZeroMQConfigError(`${path}: the default export must be the result of defineWorker({ … })`);
}

/** The message of an error in a module, with its position and, for a missing package, the remedy. */
function reasonOf(error: Error): string {
  const { message } = error;
  if (isCode(error, 'ERR_MODULE_NOT_FOUND') || isCode(error, 'MODULE_NOT_FOUND')) {
    const [, name] = /'((?:@[^'/]+\/)?[^'/]+)'/.exec(message) ?? [];
    if (name === 'joi') {
      const [what] = message.split('\n');
      return `${what}; import { Joi } from 'zeromq-gateway' instead, or run npm install joi`;
    }
    return message;
  }
  const position = positionOf(error);
  return position === undefined || message.includes(position) ? message : `${message}\n    at ${position}`;
}

function isDefinition(value: unknown): value is WorkerDefinition {
  return typeof value === 'object' && value !== null && MARK in value;
}

/**
 * Unwraps the default export of a module that was compiled to CommonJS, which is nested one level
 * deeper.
 */
function defaultOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'default' in value ? value.default : undefined;
}

let registered = false;

/**
 * Lets this thread import TypeScript, in packages of ES modules and others: with tsx if it is
 * installed, otherwise with the type stripping of Node.js, which rejects enums, decorators and
 * files under node_modules. tsx is an optional peer of this package: esbuild, which it needs, has
 * 11 MB.
 *
 * It ignores tsconfig.json: a path mapping from this package to its sources would give the module a
 * second copy of the package.
 *
 * @throws {ZeroMQConfigError} when neither is available
 */
async function registerTypeScript(): Promise<void> {
  if (registered) return;
  const tsx = await Promise.all([import('tsx/cjs/api'), import('tsx/esm/api')]).catch((error: unknown) => {
    if (isCode(error, 'ERR_MODULE_NOT_FOUND')) return undefined;
    throw error;
  });
  if (tsx === undefined && !stripsTypes()) {
    throw missingPackage('tsx', 'TypeScript workers need tsx or Node.js 22.18');
  }
  registered = true;
  if (tsx === undefined) return;
  const [cjs, esm] = tsx;
  cjs.register();
  esm.register(import.meta.url.endsWith('.ts') ? {} : { tsconfig: false });
}

/** Whether this Node.js imports TypeScript without a loader. */
function stripsTypes(): boolean {
  const { typescript } = process.features as { typescript?: 'strip' | 'transform' | false };
  return typescript !== undefined && typescript !== false;
}
