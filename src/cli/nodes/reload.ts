/**
 * Settings that change while a command runs: the configuration file is read again on SIGHUP and when
 * it was saved. All changes are applied, or none.
 */
import { statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../../core/logging/logging.ts';
import { toError } from '../../core/messages/errors.ts';
import { diagnostics } from '../../core/observability/diagnostics.ts';
import type { SettingsSource } from '../settings/command.ts';
import { explain, UsageError } from '../settings/errors.ts';

/** A part of a command that can change while it runs. */
export interface Reloadable<Values> {
  /** Names of the settings that it applies. */
  readonly names: readonly (keyof Values & string)[];
  /**
   * Checks the values and prepares the change. The result applies it, and must not fail.
   *
   * @throws {Error} when the values are not valid.
   */
  prepare(values: Values): (() => void) | Promise<() => void>;
  /** Called when a reload has failed, after which all settings stay as they were. */
  failed?(): void;
}

/** Interval of checks of the configuration file, in ms. */
const CHECK_INTERVAL = 500;

/** Checked settings that are not in use yet. */
interface Prepared {
  /** Names of the settings that differ. */
  readonly changed: readonly string[];
  apply(): void;
}

export class Reloads {
  private readonly parts: Reloadable<never>[] = [];
  private running: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private logger: Logger | undefined;
  private prepared: Prepared | undefined;

  /** @param source the settings of the command; undefined if they cannot change. */
  constructor(private readonly source: SettingsSource | undefined) {}

  add<Values>(part: Reloadable<Values>): void {
    this.parts.push(part);
  }

  /**
   * Starts to watch the configuration file. A changed file is read when it has not changed for one
   * interval, since an editor may write it in pieces.
   *
   * @param logger receives what was changed, and why nothing could be.
   * @param followsFile whether a saved file applies without SIGHUP.
   */
  start(logger: Logger, followsFile = true): void {
    this.logger = logger;
    const file = this.source?.file;
    if (file === undefined || !followsFile) return;
    let used = stateOf(file);
    let seen = used;
    this.timer = setInterval(() => {
      const state = stateOf(file);
      const isSettled = state === seen;
      seen = state;
      // A file that is missing for a moment is being replaced.
      if (!isSettled || state === used || state === '') return;
      used = state;
      void this.reload('the configuration file has changed');
    }, CHECK_INTERVAL).unref();
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** Reads the settings again and applies them, after earlier reloads. Never rejects. */
  reload(cause: string): Promise<void> {
    this.running = this.running.then(() => this.run(cause));
    return this.running;
  }

  /**
   * Reads and checks the settings. {@link end} then applies them.
   *
   * @throws {Error} when they are not valid, or one of them cannot change.
   */
  async prepare(): Promise<readonly string[]> {
    this.prepared = undefined;
    this.prepared = await this.read();
    return this.prepared.changed;
  }

  /** Applies the settings that were prepared, or forgets them. */
  end(apply: boolean): void {
    if (apply) this.prepared?.apply();
    this.prepared = undefined;
    diagnostics.fileReloaded.publish({ what: 'settings', ok: apply });
  }

  private async run(cause: string): Promise<void> {
    try {
      const changed = await this.prepare();
      this.end(true);
      const settings = changed.length === 0 ? 'none' : changed.join(', ');
      this.logger?.info({ cause, settings }, 'reloaded the settings');
    } catch (error) {
      const reasons = explain(toError(error)).join('; ');
      this.logger?.error({ cause, reasons }, 'cannot reload the settings: all of them stay as they were');
      this.end(false);
      for (const part of this.parts) part.failed?.();
    }
  }

  private async read(): Promise<Prepared> {
    const { source } = this;
    if (source === undefined) return { changed: [], apply: () => undefined };
    const { current: before } = source;
    const after = source.read();
    const changed = Object.keys(after).filter((name) => !isDeepStrictEqual(before[name], after[name]));
    const known = new Set<string>(this.parts.flatMap(({ names }) => names));
    const fixed = changed.filter((name) => !known.has(name));
    if (fixed.length > 0) throw new UsageError([`a change of ${fixed.join(', ')} needs a restart`]);
    // Files that the settings name may have changed, so every part is prepared.
    const changes = await Promise.all(this.parts.map(async (part) => part.prepare(after as never)));
    const apply = (): void => {
      for (const change of changes) change();
      source.current = after;
    };
    return { changed, apply };
  }
}

/** A text that differs after a change of the file; empty while it does not exist. */
function stateOf(file: string): string {
  const state = statSync(file, { throwIfNoEntry: false });
  return state === undefined ? '' : `${state.mtimeMs} ${state.size} ${state.ino}`;
}
