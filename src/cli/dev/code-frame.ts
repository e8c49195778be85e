/** Code frames: the lines around a place in a file, with a mark below the place. */
import { readFileSync } from 'node:fs';
import type { Painter } from '../terminal/colours.ts';

/** A place in a file. Lines and columns start at 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number | undefined;
}

/** Lines shown before and after the place. */
const AROUND = 2;

/** Returns the lines of a frame; none if the file cannot be read or has no such line. */
export function codeFrame({ file, line, column }: Place, paint: Painter): string[] {
  let lines: string[];
  try {
    lines = readFileSync(file, 'utf8').split(/\r?\n/);
  } catch {
    return [];
  }
  if (line < 1 || line > lines.length) return [];
  const first = Math.max(1, line - AROUND);
  const last = Math.min(lines.length, line + AROUND);
  const width = String(last).length;
  const frame: string[] = [];
  for (let number = first; number <= last; number += 1) {
    const text = lines[number - 1] ?? '';
    const gutter = `${number === line ? '>' : ' '} ${String(number).padStart(width)} |`;
    frame.push(`${paint(number === line ? 'red' : 'gray', gutter)} ${text}`.trimEnd());
    if (number !== line || column === undefined) continue;
    // Tabs stay, so that the mark stands below its character.
    const indent = text.slice(0, column - 1).replace(/[^\t]/g, ' ');
    frame.push(`${paint('red', `  ${' '.repeat(width)} |`)} ${indent}${paint('red', '^')}`);
  }
  return frame;
}
