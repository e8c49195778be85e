/** A file that is read again when it changes, such as a file of rotated secrets. */
import { readFileSync, statSync } from 'node:fs';
import { toError, ZeroMQConfigError } from '../../core/messages/errors.ts';
import { diagnostics } from '../../core/observability/diagnostics.ts';
import type { GatewayLogger } from './api-source.ts';

/**
 * Minimum time between checks of the file, in ms. Reading the value checks it, so no timer is
 * needed.
 */
const CHECK_INTERVAL = 1000;

/** A value that is parsed from a file, and parsed again when the file changes. */
export class ReloadedFile<T> {
  private current: T;
  private lastState: string;
  private checkedAt = performance.now();

  /**
   * @param file path of the file; symbolic links are followed.
   * @param parse parses the text. The constructor throws what it throws.
   * @param onChange called after each change, with the error if the new text is not valid. The old
   *   value then stays.
   */
  constructor(
    private readonly file: string,
    private readonly parse: (text: string) => T,
    private readonly onChange: (error: unknown) => void,
  ) {
    this.lastState = this.fileState();
    this.current = this.read();
  }

  /** The value of the file, at most one second old. */
  get value(): T {
    const now = performance.now();
    if (now - this.checkedAt >= CHECK_INTERVAL) {
      this.checkedAt = now;
      this.refresh();
    }
    return this.current;
  }

  private refresh(): void {
    const stamp = this.fileState();
    if (stamp === this.lastState) return;
    this.lastState = stamp;
    try {
      this.current = this.read();
      this.onChange(undefined);
    } catch (error) {
      this.onChange(error);
    }
  }

  private read(): T {
    return this.parse(readFileSync(this.file, 'utf8'));
  }

  /** A text that differs after a change. Empty while the file does not exist. */
  private fileState(): string {
    const stat = statSync(this.file, { throwIfNoEntry: false });
    return stat === undefined ? '' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
  }
}

/**
 * Opens the key file of a security scheme. If a changed file is not valid, the error is logged and
 * the old keys stay.
 *
 * @param name name of the scheme.
 * @param setting name of the setting that contains the path.
 * @throws {ZeroMQConfigError} when the file cannot be read or is not valid.
 */
export function openKeyFile<T>(
  name: string,
  setting: string,
  file: string,
  parse: (text: string) => T,
  logger: GatewayLogger,
): ReloadedFile<T> {
  try {
    return new ReloadedFile(file, parse, (error) => {
      diagnostics.fileReloaded.publish({ what: 'key-file', ok: error === undefined });
      if (error === undefined) logger.info({ scheme: name, file }, 'reloaded a changed key file');
      else
        logger.error(
          { scheme: name, file, err: toError(error) },
          'a changed key file is not valid; the old keys stay',
        );
    });
  } catch (error) {
    throw new ZeroMQConfigError(
      `auth.schemes.${name}.${setting}: cannot use ${file}: ${toError(error).message}`,
    );
  }
}
