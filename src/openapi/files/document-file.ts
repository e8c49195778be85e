/** One file of an API document: YAML or JSON, with the line of each member. */
import { readFileSync } from 'node:fs';
import type * as Yaml from 'yaml';
import type { LineCounter, Node } from 'yaml';
import { ContractError } from '../../contract/errors.ts';
import { tokensOf } from '../../contract/json.ts';
import { lazyPackage } from '../../core/identity/lazy-package.ts';
import { numberTags, parseSpelled, spelled } from '../model/spelled-number.ts';

const yaml = lazyPackage<typeof Yaml>('yaml');

/** A position in a file; lines and columns are counted from 1. */
export interface LinePosition {
  readonly line: number;
  readonly column: number;
}

/**
 * Maximum number of aliases in a YAML document. Without a limit, a small file could expand to a
 * huge value.
 */
const MAX_ALIASES = 1000;

/** Reads one file and finds the lines of its values. */
export class DocumentFile {
  /** Absolute path. */
  readonly path: string;
  /** Content of the file, not yet checked. */
  readonly value: unknown;
  /** Size of the file, in bytes. */
  readonly bytes: number;
  private readonly text: string;
  private nodes: { readonly contents: Node | null; readonly lines: LineCounter } | undefined;

  /**
   * Reads and parses the file.
   *
   * @throws {ContractError} with line and column when the file cannot be read or is neither YAML
   *   nor JSON.
   */
  constructor(path: string, maxBytes: number) {
    this.path = path;
    const bytes = read(path, maxBytes);
    this.bytes = bytes.length;
    this.text = bytes.toString('utf8').replace(/^\uFEFF/, '');
    this.value = this.parse();
  }

  /** Returns where the value at a JSON pointer is, or else the nearest value that contains it. */
  locate(pointer: string): LinePosition | undefined {
    this.nodes ??= nodesOf(this.text);
    const { contents, lines } = this.nodes;
    let node: Node | null = contents;
    let offset = contents?.range?.[0];
    for (const token of tokensOf(pointer) ?? []) {
      const next = step(node, token);
      if (next === undefined) break;
      offset = next.offset ?? offset;
      node = next.value;
    }
    if (offset === undefined) return undefined;
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  }

  private parse(): unknown {
    if (!/^\s*[{[]/.test(this.text)) return this.parseYaml();
    try {
      return parseSpelled(this.text);
    } catch (cause) {
      const problem = this.jsonError(cause);
      if (/\.json$/i.test(this.path)) throw problem;
      // YAML in flow style begins like JSON.
      try {
        return this.parseYaml();
      } catch (error) {
        throw /^\s*[{[]\s*"/.test(this.text) ? problem : error;
      }
    }
  }

  private jsonError(cause: unknown): ContractError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const position = /position (\d+)/.exec(reason)?.[1];
    const offset = position === undefined ? this.text.length : Number(position);
    const before = this.text.slice(0, offset).split('\n');
    const location = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    return new ContractError(`is not valid JSON: ${reason}`, { source: this.path, ...location }, { cause });
  }

  private parseYaml(): unknown {
    const document = yaml().parseDocument(this.text, {
      merge: true,
      prettyErrors: true,
      logLevel: 'silent',
      customTags: numberTags(spelled),
    });
    const [error] = document.errors;
    if (error !== undefined) {
      const [start] = error.linePos ?? [];
      const location = start === undefined ? {} : { line: start.line, column: start.col };
      const reason = error.message.split(' at line ')[0] ?? error.message;
      throw new ContractError(
        `is not valid YAML: ${reason}`,
        { source: this.path, ...location },
        { cause: error },
      );
    }
    try {
      return document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ContractError(
        `is YAML that cannot be converted to JSON: ${reason}`,
        { source: this.path },
        { cause },
      );
    }
  }
}

function read(path: string, maxBytes: number): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ContractError(`cannot be read: ${reason}`, { source: path }, { cause });
  }
  if (bytes.length > maxBytes) {
    throw new ContractError(`is larger than the ${maxBytes} bytes that remain of the size limit`, {
      source: path,
    });
  }
  return bytes;
}

function nodesOf(text: string): { contents: Node | null; lines: LineCounter } {
  const { LineCounter, parseDocument } = yaml();
  const lines = new LineCounter();
  const { contents } = parseDocument(text, { lineCounter: lines, uniqueKeys: false, logLevel: 'silent' });
  return { contents, lines };
}

/** Returns a member or item of a node and its offset. The offset of a member is that of its key. */
function step(
  node: Node | null,
  token: string,
): { value: Node | null; offset: number | undefined } | undefined {
  const { isMap, isNode, isScalar, isSeq } = yaml();
  if (isSeq(node)) {
    const item = node.items[Number(token)];
    return isNode(item) ? { value: item, offset: item.range?.[0] } : undefined;
  }
  if (!isMap(node)) return undefined;
  for (const { key, value } of node.items) {
    if (!isScalar(key) || String(key.value) !== token) continue;
    return { value: isNode(value) ? value : null, offset: key.range?.[0] };
  }
  return undefined;
}
