/** A file that is read again when it has changed, as secrets are that get rotated. */
import { readFileSync, statSync } from 'node:fs';
import { toError, ZeroMQConfigError } from '../../core/messages/errors.ts';
import type { GatewayLogger } from './api-source.ts';

/** Time between looks at the file, in ms. It is looked at when its value is asked for, so there is no timer. */
const CHECK_INTERVAL = 1000;

export class ReloadedFile<T> {
  private current: T;
  private lastState: string;
  private checkedAt = performance.now();

  /**
   * @param file path; links are followed.
   * @param parse makes the value of the text. What it throws at first, the constructor throws.
   * @param onChange told after each change: why the new text cannot be used (the old value stays), or undefined.
   */
  constructor(
    private readonly file: string,
    private readonly parse: (text: string) => T,
    private readonly onChange: (fault: unknown) => void,
  ) {
    this.lastState = this.fileState();
    this.current = this.read();
  }

  /** The value of the file as it was at most a second ago. */
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

  /** What is different after a change; the same for as long as there is no file. */
  private fileState(): string {
    const stat = statSync(this.file, { throwIfNoEntry: false });
    return stat === undefined ? '' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
  }
}

/**
 * The file of a security scheme. A changed one that cannot be used is told in the log, and the old keys stay.
 *
 * @param name of the scheme.
 * @param setting that names the file.
 * @throws ZeroMQConfigError when it cannot be used.
 */
export function openKeyFile<T>(
  name: string,
  setting: string,
  file: string,
  parse: (text: string) => T,
  logger: GatewayLogger,
): ReloadedFile<T> {
  try {
    return new ReloadedFile(file, parse, (fault) => {
      if (fault === undefined) logger.info({ scheme: name, file }, 'a changed file of keys was taken in');
      else
        logger.error(
          { scheme: name, file, err: toError(fault) },
          'a changed file of keys cannot be used; the old keys stay',
        );
    });
  } catch (error) {
    throw new ZeroMQConfigError(
      `auth.schemes.${name}.${setting}: cannot use ${file}: ${toError(error).message}`,
    );
  }
}
