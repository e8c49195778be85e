/** An allow list in a file that is read again whenever the file changes. */
import { readFileSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type * as Yaml from 'yaml';
import { lazyPackage } from '../../core/identity/lazy-package.ts';
import { toError, ZeroMQConfigError } from '../../core/messages/errors.ts';
import { type Cancel, type Clock, systemClock } from '../../core/time/clock.ts';
import { AllowList, type AllowListDocument } from './allow-list.ts';

const yaml = lazyPackage<typeof Yaml>('yaml');

/** Options of {@link AllowListFile}. */
export interface AllowListFileOptions {
  /**
   * Called after a changed file was loaded.
   *
   * @defaultValue none
   */
  readonly onReload?: (file: string) => void;
  /**
   * Called when the changed file is invalid. The previous list stays in force.
   *
   * @defaultValue none
   */
  readonly onError?: (error: Error, file: string) => void;
  /**
   * Interval at which the file is checked for changes, in milliseconds.
   *
   * @defaultValue 500
   */
  readonly interval?: number;
  /**
   * Clock of the checks, for tests.
   *
   * @defaultValue the system clock
   */
  readonly clock?: Clock;
}

/** Anyone who can write the file controls which peers may connect. */
const WRITABLE_BY_ALL = 0o002;

/**
 * An allow list in a file (YAML or JSON). Reloads the file whenever it changes, until it is closed.
 *
 * @example
 * ```ts
 * const authenticator = new AllowListFile('allow-list.yaml');
 * const { secretKey } = readKeyFile('router.key');
 * const server = new ZeroMQServer({
 *   connection: 'tcp://*:5555',
 *   handlers: { ping: () => 'pong' },
 *   curve: { secretKey, authenticator },
 * });
 * ```
 */
export class AllowListFile extends AllowList {
  private readonly clock: Clock;
  /** State of the file when it was last loaded. */
  private loaded: string;
  private cancelCheck: Cancel | undefined;
  private closed = false;

  /**
   * Loads the file and starts to watch it.
   *
   * @param file path of the file
   * @param options {@link AllowListFileOptions}
   * @throws {ZeroMQConfigError} when the file cannot be read or is invalid; the message lists every
   *   problem
   */
  constructor(
    readonly file: string,
    private readonly options: AllowListFileOptions = {},
  ) {
    const loaded = stateOf(file);
    super(readList(file), file);
    this.loaded = loaded;
    this.clock = options.clock ?? systemClock;
    this.checkLater();
  }

  /** Stops watching the file. */
  close(): void {
    this.closed = true;
    this.cancelCheck?.();
  }

  private checkLater(): void {
    this.cancelCheck = this.clock.after(this.options.interval ?? 500, () => void this.check());
  }

  /** Polling works on every file system and however the file is replaced; file events do not. */
  private async check(): Promise<void> {
    const state = await stat(this.file).then(describe, () => 'missing');
    if (this.closed) return;
    if (state !== this.loaded) this.reload(state);
    this.checkLater();
  }

  private reload(state: string): void {
    this.loaded = state;
    try {
      this.replace(readList(this.file), this.file);
      this.options.onReload?.(this.file);
    } catch (error) {
      this.options.onError?.(toError(error), this.file);
    }
  }
}

function stateOf(file: string): string {
  try {
    return describe(statSync(file));
  } catch {
    return 'missing';
  }
}

function describe({
  mtimeMs,
  size,
  ino,
  mode,
}: {
  mtimeMs: number;
  size: number;
  ino: number;
  mode: number;
}): string {
  return `${mtimeMs} ${size} ${ino} ${mode}`;
}

function readList(file: string): AllowListDocument {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ZeroMQConfigError(`${file}: cannot be read: ${toError(cause).message}`, { cause });
  }
  if (process.platform !== 'win32' && (statSync(file).mode & WRITABLE_BY_ALL) !== 0) {
    throw new ZeroMQConfigError(
      `${file}: every user can write this file and so admit any peer; run chmod o-w ${file}`,
    );
  }
  // JSON is a subset of YAML.
  const document = yaml().parseDocument(text, { prettyErrors: true });
  const problem = document.errors[0];
  if (problem !== undefined)
    throw new ZeroMQConfigError(`${file}: not valid YAML: ${problem.message.trim()}`);
  return document.toJS({ maxAliasCount: 100 }) as AllowListDocument;
}
