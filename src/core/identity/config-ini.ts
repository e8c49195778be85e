/**
 * INI files as Python's configparser reads and writes them with its defaults, so that Python nodes
 * and nodes of this framework can share one `config.ini`. The delimiter is `=` or `:`. Whole-line
 * comments start with `#` or `;`. Option names are case-insensitive, section names case-sensitive.
 * `[DEFAULT]` provides values for all sections. A value continues on lines with deeper indentation.
 * Interpolation (`%(name)s`) is not expanded.
 *
 * A document keeps its source text: options that are not set stay byte for byte the same.
 *
 * A hand-written parser, because INI packages differ from configparser in these rules and do not
 * preserve the text.
 */
import { ZeroMQConfigError } from '../messages/errors.ts';

/** Section that provides values for the others. */
const DEFAULT_SECTION = 'DEFAULT';

/**
 * The characters that Python's `str.strip()` removes; `String.prototype.trim()` differs in a few.
 */
const SPACE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const LEADING = new RegExp(`^${SPACE}*`);
const TRAILING = new RegExp(`${SPACE}+$`);
/** A line with its line ending, by Python's universal newlines. */
const LINES = /[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$/g;
const LINE_END = /[\r\n]+$/;
const SECTION_HEADER = /^\[([^]+)\]/;
const DELIMITER = /[=:]/;
/** Byte order mark, which some editors write; configparser treats it as text. */
const BOM = '\ufeff';
const BOM_ERROR =
  'a byte order mark stands before the text, which configparser does not read: save it without';

interface Option {
  /** The line of its name, then its continuation lines. */
  readonly lines: number[];
  /** Lines of the value, which a reader joins with newlines. */
  readonly values: string[];
}

interface Section {
  /** Line of its last header, option or continuation. */
  lastLine: number;
  /** Indentation of its last header or option; lines with a deeper one continue a value. */
  indent: string;
  readonly options: Map<string, Option>;
}

/** An immutable INI document. */
export class IniDocument {
  private readonly sections = new Map<string, Section>();

  private constructor(
    private readonly lines: readonly string[],
    private readonly source: string,
  ) {
    this.read();
  }

  /**
   * Parses a document.
   *
   * @param source file name for messages.
   * @throws {ZeroMQConfigError} with file and line where configparser would reject the text.
   */
  static parse(text: string, source = 'config.ini'): IniDocument {
    return new IniDocument(text.match(LINES) ?? [], source);
  }

  /** The text of the document. */
  toString(): string {
    return this.lines.join('');
  }

  /** Names of the sections except DEFAULT, in file order. */
  sectionNames(): string[] {
    return [...this.sections.keys()].filter((name) => name !== DEFAULT_SECTION);
  }

  /** Names of the options of a section in lower case, including those of DEFAULT. */
  optionNames(section: string): string[] {
    if (!this.has(section)) return [];
    const own = this.sections.get(section)?.options.keys() ?? [];
    const defaults = this.sections.get(DEFAULT_SECTION)?.options.keys() ?? [];
    return [...new Set([...own, ...defaults])];
  }

  /** The value of an option. An existing section falls back to DEFAULT; otherwise undefined. */
  get(section: string, option: string): string | undefined {
    if (!this.has(section)) return undefined;
    return this.own(section, option) ?? this.own(DEFAULT_SECTION, option);
  }

  /** Line number of an option in the section or in DEFAULT, from 1. */
  lineOf(section: string, option: string): number | undefined {
    const found = this.find(section, option) ?? this.find(DEFAULT_SECTION, option);
    return found === undefined ? undefined : firstLine(found) + 1;
  }

  /**
   * Returns the document with one option set. A missing section is appended.
   *
   * @throws {ZeroMQConfigError} when section, option or value would not be read back unchanged.
   */
  with(section: string, option: string, value: string): IniDocument {
    try {
      const document = IniDocument.parse(this.edited(section, option, value).join(''), this.source);
      if (document.own(section, option) === value) return document;
    } catch (error) {
      if (!(error instanceof ZeroMQConfigError)) throw error;
    }
    throw new ZeroMQConfigError(
      `${this.source}: [${section}] ${option} = ${JSON.stringify(value)} cannot be written as INI`,
    );
  }

  private has(section: string): boolean {
    return section === DEFAULT_SECTION || this.sections.has(section);
  }

  private find(section: string, option: string): Option | undefined {
    return this.sections.get(section)?.options.get(option.toLowerCase());
  }

  private own(section: string, option: string): string | undefined {
    return this.find(section, option)?.values.join('\n').replace(TRAILING, '');
  }

  /** Parses the lines like configparser. */
  private read(): void {
    let section: Section | undefined;
    let name = '';
    let option: Option | undefined;
    let level = 0;
    for (const [number, line] of this.lines.entries()) {
      const text = strip(line);
      if (text.startsWith('#') || text.startsWith(';')) continue;
      if (text === '') {
        option?.values.push('');
        continue;
      }
      const indent = indentOf(line).length;
      if (section !== undefined && option !== undefined && indent > level) {
        option.values.push(text);
        option.lines.push(number);
        section.lastLine = number;
        continue;
      }
      level = indent;
      const header = SECTION_HEADER.exec(text)?.[1];
      if (header !== undefined) {
        section = this.open(header, number);
        name = header;
        option = undefined;
      } else if (section === undefined) {
        throw this.parseError(number, line.startsWith(BOM) ? BOM_ERROR : 'text before the first [section]');
      } else {
        option = this.add(name, section, text, number);
      }
    }
  }

  private open(name: string, number: number): Section {
    const known = this.sections.get(name);
    if (known !== undefined && name !== DEFAULT_SECTION) {
      throw this.parseError(number, `duplicate section [${name}]`);
    }
    const section: Section = known ?? { lastLine: number, indent: '', options: new Map() };
    this.advance(section, number);
    this.sections.set(name, section);
    return section;
  }

  private add(sectionName: string, section: Section, text: string, number: number): Option {
    const delimiter = text.search(DELIMITER);
    const name = strip(text.slice(0, Math.max(0, delimiter))).toLowerCase();
    if (name === '') throw this.parseError(number, `neither "name = value" nor [section]: ${text}`);
    if (section.options.has(name)) {
      throw this.parseError(number, `duplicate option ${name} in section [${sectionName}]`);
    }
    const option: Option = { lines: [number], values: [strip(text.slice(delimiter + 1))] };
    section.options.set(name, option);
    this.advance(section, number);
    return option;
  }

  private advance(section: Section, number: number): void {
    section.lastLine = number;
    section.indent = indentOf(this.lines[number] ?? '');
  }

  private parseError(number: number, reason: string): ZeroMQConfigError {
    return new ZeroMQConfigError(`${this.source}:${number + 1}: ${reason}`);
  }

  /** The lines of the document with an option set. */
  private edited(section: string, option: string, value: string): string[] {
    const eol = this.lines.map((line) => LINE_END.exec(line)?.[0]).find((end) => end !== undefined) ?? '\n';
    const lines = this.lines.map((line) => (LINE_END.test(line) ? line : line + eol));
    const known = this.sections.get(section);
    const old = this.find(section, option);
    if (known === undefined) {
      const gap = lines.length === 0 || strip(lines.at(-1) ?? '') === '' ? [] : [eol];
      return [...lines, ...gap, `[${section}]${eol}`, written(`${option} = `, value, '', eol)];
    }
    if (old === undefined) {
      const indent = this.indentAfter(known);
      lines.splice(known.lastLine + 1, 0, written(`${indent}${option} = `, value, indent, eol));
      return lines;
    }
    const line = lines[firstLine(old)] ?? '';
    const start = line.slice(0, line.search(DELIMITER) + 1);
    const gap = indentOf(line.slice(start.length).replace(LINE_END, ''));
    const dropped = new Set(old.lines.slice(1));
    lines[firstLine(old)] = written(
      start + (gap || ' '),
      value,
      indentOf(line),
      LINE_END.exec(line)?.[0] ?? eol,
    );
    return lines.filter((_, number) => !dropped.has(number));
  }

  /**
   * An indentation for a new last option that neither continues a value nor turns the next line
   * into a continuation.
   */
  private indentAfter(section: Section): string {
    const next = this.lines.slice(section.lastLine + 1).find((line) => !/^(?:$|[#;])/.test(strip(line)));
    const ahead = indentOf(next ?? '');
    return ahead.length > section.indent.length ? ahead : section.indent;
  }
}

function indentOf(line: string): string {
  return LEADING.exec(line.replace(LINE_END, ''))?.[0] ?? '';
}

function strip(text: string): string {
  return text.replace(LEADING, '').replace(TRAILING, '');
}

function firstLine(option: Option): number {
  return option.lines[0] ?? 0;
}

/** Formats an option. Lines of its value after the first are indented deeper than its name. */
function written(start: string, value: string, indent: string, eol: string): string {
  return start + value.split('\n').join(`${eol}${indent}\t`) + eol;
}
