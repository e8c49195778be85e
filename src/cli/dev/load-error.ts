/** Finds the place in the user's code that an error is about. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LoadFailure } from '../../worker/threads/module-report.ts';
import { PACKAGE_FOLDER } from '../process/package.ts';
import type { Place } from './code-frame.ts';

/** An error and the place it is about. */
export interface LocatedError {
  readonly message: string;
  readonly place: Place | undefined;
}

/** A line of an esbuild error: `/path/file.ts:3:10: ERROR: Expected ")" but found ";"`. */
const ESBUILD = /^(.+):(\d+):(\d+): ERROR: (.+)$/gm;

/** The head of the stack of a syntax error that Node.js reports: `file:///path/file.js:3`. */
const NODE_SYNTAX = /^((?:file:\/\/)?\/?[^\n]+?):(\d+)\n([^\n]*)\n( *)\^/;

/** A frame of a stack, with the place at its end. */
const FRAME = /^\s+at (?:.*\()?((?:file:\/\/)?[^()\s][^()]*?):(\d+):(\d+)\)?$/gm;

/** `Cannot find module '/path/lib.ts' imported from /path/file.ts`, also with file URLs. */
const NOT_FOUND = /^Cannot find (?:module|package) '([^']+)' imported from ['"]?(.+?)['"]?$/m;

/**
 * Returns the errors that a failure to load consists of: several if esbuild found several.
 *
 * @param file the worker file.
 */
export function locateFailure(failure: LoadFailure, file: string): LocatedError[] {
  const { message, name } = failure;
  const syntax = [...message.matchAll(ESBUILD)].map(([, at = '', line, column, text = '']) => {
    return {
      message: `SyntaxError: ${text}`,
      place: { file: path.resolve(at), line: Number(line), column: Number(column) + 1 },
    };
  });
  if (syntax.length > 0) return syntax;
  const title = name === 'Error' || name === 'ZeroMQConfigError' ? message : `${name}: ${message}`;
  return [{ message: title, place: importPlace(message) ?? placeOf(failure.stack, file) }];
}

/** The place of the import that failed. */
function importPlace(message: string): Place | undefined {
  const [, wanted = '', from = ''] = NOT_FOUND.exec(message) ?? [];
  if (from === '') return undefined;
  const importer = toPath(from);
  const names = [wanted, path.basename(toPath(wanted)), path.basename(toPath(wanted), path.extname(wanted))];
  return names.map((text) => lineWith(importer, text)).find((place) => place !== undefined);
}

/** The first import or require in a file that contains the text. */
function lineWith(file: string, text: string): Place | undefined {
  if (!existsSync(file) || text === '') return undefined;
  const lines = readFileSync(file, 'utf8').split(/\r?\n/);
  const index = lines.findIndex((line) => /from|import|require/.test(line) && line.includes(text));
  const line = lines[index];
  if (line === undefined) return undefined;
  const before = line.slice(0, line.indexOf(text));
  const quote = Math.max(before.lastIndexOf("'"), before.lastIndexOf('"'));
  return { file, line: index + 1, column: Math.max(quote, 0) + 1 };
}

/**
 * Returns the place of the first frame of a stack in the user's code: not in Node.js, in a package
 * or in this one.
 *
 * @param fallback file without line, if the stack names none.
 */
export function placeOf(stack: string | undefined, fallback?: string): Place | undefined {
  if (stack === undefined) return undefined;
  const [, syntaxFile, syntaxLine, , indent = ''] = NODE_SYNTAX.exec(stack) ?? [];
  const syntaxPath = syntaxFile === undefined ? undefined : toPath(syntaxFile);
  if (syntaxPath !== undefined && existsSync(syntaxPath))
    return { file: syntaxPath, line: Number(syntaxLine), column: indent.length + 1 };
  for (const [, at = '', line, column] of stack.matchAll(FRAME)) {
    const file = toPath(at);
    if (isOwnCode(file)) return { file, line: Number(line), column: Number(column) };
  }
  return fallback === undefined ? undefined : { file: fallback, line: 0, column: undefined };
}

function isOwnCode(file: string): boolean {
  if (!path.isAbsolute(file) || file.includes(`${path.sep}node_modules${path.sep}`)) return false;
  return !['src', 'dist'].some((folder) => file.startsWith(path.join(PACKAGE_FOLDER, folder) + path.sep));
}

/** The path of a file URL without its query; every other text unchanged. */
function toPath(text: string): string {
  if (!text.startsWith('file:')) return text;
  try {
    const url = new URL(text);
    url.search = '';
    return fileURLToPath(url);
  } catch {
    return text;
  }
}
