/** Worker modules: a file whose default export says what a worker does, for the command line and for threads. */
import { extname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Contract } from '../contract/index.ts';
import { jsonReader, type LargeIntegers } from '../core/json/large-integers.ts';
import { toError, ZeroMQConfigError } from '../core/messages/errors.ts';
import type { Handlers, MessageHandler } from '../runtime/handlers.ts';

/** What a worker does, apart from where it connects. */
export interface WorkerDefinition {
  contract?: Contract;
  handlers?: Handlers;
  handleMessage?: MessageHandler;
  /**
   * What handlers, and the contract's check before them, get for integers whose absolute value is more than
   * `Number.MAX_SAFE_INTEGER`: a double, a bigint or a text. Every other number is a `number`.
   *
   * @defaultValue `'number'`
   */
  largeIntegers?: LargeIntegers;
  /** Requests that run at a time. Default 64. */
  concurrency?: number;
  /**
   * Where the module runs for `ZeroMQWorkerThreads` and the command line: in a thread, or in a process. A module that
   * opens ZeroMQ sockets, such as those of a `ZeroMQClient`, needs a process. It moves there when it makes its first
   * client or socket; where a handler does that, the request that it handles fails.
   *
   * @defaultValue `'thread'`
   */
  isolation?: 'thread' | 'process';
  /** Called before the worker takes requests. */
  onStart?(): void | Promise<void>;
  /** Called after the last request, when the worker stops. */
  onStop?(): void | Promise<void>;
}

const MARK = Symbol.for('zeromq-gateway.worker');

/**
 * Says what a worker does. Make it the default export of a file for `zeromq-gateway worker FILE` and
 * `ZeroMQWorkerThreads`.
 *
 * @throws ZeroMQConfigError when there are no handlers, or an option has an unknown value.
 */
export function defineWorker<Definition extends WorkerDefinition>(definition: Definition): Definition {
  if (definition.handlers === undefined && definition.handleMessage === undefined) {
    throw new ZeroMQConfigError('defineWorker: a worker needs handlers or handleMessage');
  }
  const { isolation = 'thread', largeIntegers } = definition;
  jsonReader(largeIntegers);
  if (isolation !== 'thread' && isolation !== 'process') {
    throw new ZeroMQConfigError(
      `defineWorker: isolation must be 'thread' or 'process', got ${JSON.stringify(isolation)}`,
    );
  }
  return Object.defineProperty({ ...definition }, MARK, { value: true });
}

/**
 * Loads a worker module. TypeScript files are compiled as they are read.
 *
 * @param file path or file URL.
 * @throws ZeroMQConfigError when it cannot be loaded, or its default export is not from `defineWorker`.
 */
export async function loadWorkerModule(file: string | URL): Promise<WorkerDefinition> {
  const path = file instanceof URL || file.startsWith('file:') ? fileURLToPath(file) : resolve(file);
  if (['.ts', '.mts', '.cts'].includes(extname(path))) await registerTypeScript();
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as { default?: unknown };
  } catch (cause) {
    throw new ZeroMQConfigError(`cannot load the worker ${path}: ${toError(cause).message}`, { cause });
  }
  const definition = [module.default, defaultOf(module.default)].find(isDefinition);
  if (definition !== undefined) return definition;
  throw new ZeroMQConfigError(`${path}: the default export must be defineWorker({ … })`);
}

function isDefinition(value: unknown): value is WorkerDefinition {
  return typeof value === 'object' && value !== null && MARK in value;
}

/** The default export of a module that was compiled to CommonJS, which is one more level down. */
function defaultOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'default' in value ? value.default : undefined;
}

let registered = false;

/**
 * Lets this thread import TypeScript, be it in a package of ES modules or not. Compiled, no tsconfig.json is looked at:
 * one that maps this package to its sources would give the module another copy of it.
 */
async function registerTypeScript(): Promise<void> {
  if (registered) return;
  registered = true;
  const [cjs, esm] = await Promise.all([import('tsx/cjs/api'), import('tsx/esm/api')]);
  cjs.register();
  esm.register(import.meta.url.endsWith('.ts') ? {} : { tsconfig: false });
}
