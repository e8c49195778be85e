/** What `zeromq-gateway dev` prints about reloads. */
import path from 'node:path';
import type { Painter } from '../terminal/colours.ts';
import { codeFrame } from './code-frame.ts';
import { locateFailure } from './load-error.ts';
import type { Reload } from './worker-file.ts';

export class DevOutput {
  constructor(
    private readonly cwd: string,
    private readonly write: (line: string) => void,
    private readonly paint: Painter,
  ) {}

  /** Path of a file as the user would write it. */
  name(file: string): string {
    const relative = path.relative(this.cwd, file);
    return relative === '' || relative.startsWith('..') ? file : relative;
  }

  note(text: string): void {
    this.write(text);
  }

  warn(text: string): void {
    this.write(`${this.paint('yellow', 'warning:')} ${text}`);
  }

  /** Reports how a reload ended. @param changed files whose change caused it. */
  reloaded(file: string, result: Reload, changed: readonly string[]): void {
    const { paint } = this;
    const name = this.name(file);
    if (result.kind === 'running') {
      const others = changed.filter((each) => each !== file).map((each) => this.name(each));
      const why = others.length === 0 ? '' : paint('gray', ` (${listed(others)} changed)`);
      this.write(`${paint('green', 'reloaded')} ${name} in ${Math.round(result.duration)} ms${why}`);
      if (result.incompatibility !== undefined)
        this.warn(`${name}: the contract is not compatible with the one before: ${result.incompatibility}`);
    } else if (result.kind !== 'removed') {
      const effect = result.keeps ? 'the version before keeps running' : 'its routes are not served';
      this.write(`${paint('red', 'error:')} cannot load ${name}; ${effect}`);
      if (result.kind === 'refused') this.write(`  ${result.reason}`);
      else this.failure(result, file);
    }
  }

  removed(file: string): void {
    this.write(`${this.paint('green', 'removed')} ${this.name(file)}`);
  }

  /** Reports that the running version is kept because the new one has type errors. */
  held(file: string): void {
    this.write(
      `${this.paint('red', 'error:')} ${this.name(file)} has type errors; the version before keeps running`,
    );
  }

  /** @param effect what follows from the errors. */
  typeErrors(count: number, lines: readonly string[], effect: string): void {
    for (const line of lines) this.write(line);
    const errors = count === 1 ? '1 type error' : `${count} type errors`;
    this.write(`${this.paint('red', 'error:')} ${errors}${effect}`);
  }

  private failure({ failure }: Extract<Reload, { kind: 'failed' }>, file: string): void {
    for (const { message, place } of locateFailure(failure, file)) {
      const column = place?.column === undefined ? '' : `:${place.column}`;
      const at =
        place === undefined || place.line === 0 ? '' : `${this.name(place.file)}:${place.line}${column}: `;
      this.write(`${at}${message}`);
      if (place !== undefined) for (const line of codeFrame(place, this.paint)) this.write(line);
    }
  }
}

/** Joins names; of many, only the first ones are shown. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}
