/** Modules of users: files that export a worker or hooks. */
import { createRequire } from 'node:module';
import { extname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { positionOf } from '../messages/caller-stack.ts';
import { toError, ZeroMQConfigError } from '../messages/errors.ts';
import { isCode } from './file-lock.ts';
import { missingPackage } from './optional-package.ts';

const { cache: cachedModules } = createRequire(import.meta.url);

/** A loaded module. */
export interface LoadedModule {
  readonly path: string;
  /** Its default export, and that of a module that was compiled to CommonJS. */
  readonly exported: readonly unknown[];
}

/**
 * Loads a module. TypeScript files are compiled when they are loaded, by the package `tsx` if it is
 * installed, otherwise by Node.js 22.18 or later.
 *
 * @param file path or file URL of the module.
 * @param what what it exports, for messages.
 * @param version a text that differs from those before if the file must be read again. Modules that
 *   it imports are not read again.
 * @throws {ZeroMQConfigError} when the module cannot be loaded, or neither `tsx` nor Node.js compiles
 *   TypeScript.
 */
export async function loadModule(file: string | URL, what: string, version = ''): Promise<LoadedModule> {
  const path = file instanceof URL || file.startsWith('file:') ? fileURLToPath(file) : resolve(file);
  if (['.ts', '.mts', '.cts'].includes(extname(path))) await registerTypeScript();
  // Stacks of compiled modules then show the line of their source, as tsx does for TypeScript.
  else process.setSourceMapsEnabled(true);
  try {
    const url = pathToFileURL(path);
    if (version !== '') {
      url.searchParams.set('version', version);
      // Modules in CommonJS are cached by their path.
      delete cachedModules[path];
    }
    const module = (await import(url.href)) as { default?: unknown };
    return { path, exported: [module.default, defaultOf(module.default)] };
  } catch (cause) {
    throw new ZeroMQConfigError(`cannot load the ${what} ${path}: ${reasonOf(toError(cause))}`, { cause });
  }
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
    throw missingPackage('tsx', 'TypeScript files need tsx or Node.js 22.18');
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
