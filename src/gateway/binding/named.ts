/** Reads parameters that are found by name in a list of pairs: query parameters and cookies. */
import { escapeToken } from '../../contract/json.ts';
import type { RequestIssue } from '../common/problem.ts';
import { INVALID, Members } from './coerce.ts';
import { coerceDeep, type DeepEntry, deepName } from './deep-object.ts';
import type { Pair } from './pairs.ts';
import { describeTextError, type Fields, type ParameterReader } from './parameters.ts';
import { DECODERS, partsOf, StyleError, valuesOf } from './style.ts';

/** What to do with names that are not parameters. */
export type UnknownNames = 'reject' | 'ignore';

/** The parameter that a name belongs to, and the property if it is an exploded object. */
interface Target {
  readonly index: number;
  readonly property: string | undefined;
}

/** A value that the client sent for a parameter. */
export interface Given {
  readonly property: string | undefined;
  readonly keys: readonly string[];
  readonly raw: string;
}

/** The values that the client sent, by index of the reader. */
export type GivenByReader = (readonly Given[] | undefined)[];

/** Assigns pairs to the parameters that they belong to. */
export class NamedReaders {
  private readonly targets = new Map<string, Target>();
  private readonly deep = new Map<string, number>();
  /** Index of an exploded object that takes all names that no other parameter has. */
  private readonly open: number | undefined;

  constructor(readonly readers: readonly ParameterReader[]) {
    for (const [index, reader] of readers.entries()) {
      const { binding, shape } = reader;
      const { name, style, contentType } = binding;
      if (style === 'deepObject') this.deep.set(name, index);
      const isExploded =
        style !== 'deepObject' && binding.explode && shape.acceptsObject && contentType === undefined;
      const takesWholeValue = shape.acceptsScalar || shape.acceptsArray;
      if (!isExploded || takesWholeValue || shape.acceptsNull)
        this.targets.set(name, { index, property: undefined });
      if (!isExploded) continue;
      // If the parameter also accepts other types, it takes unknown names only without declared
      // ones.
      if (shape.open && (!takesWholeValue || shape.names.length === 0)) this.open = index;
      for (const property of shape.names) {
        if (!this.targets.has(property)) this.targets.set(property, { index, property });
      }
    }
  }

  /**
   * Assigns a pair to its parameter.
   * @param known whether the name has another meaning, so that no exploded object may take it.
   * @returns whether it belongs to a parameter.
   */
  assign({ name, raw }: Pair, given: GivenByReader, known = false): boolean {
    const target = this.targets.get(name);
    if (target !== undefined) {
      append(given, target.index, { property: target.property, keys: [], raw });
      return true;
    }
    const nested = this.deep.size === 0 ? undefined : deepName(name);
    const deep = nested === undefined ? undefined : this.deep.get(nested.base);
    if (nested !== undefined && deep !== undefined) {
      append(given, deep, { property: undefined, keys: nested.keys, raw });
      return true;
    }
    if (known || this.open === undefined) return false;
    append(given, this.open, { property: name, keys: [], raw });
    return true;
  }
}

/** The query parameters or the cookies of one operation. */
export class NamedParameters {
  private readonly named: NamedReaders;

  /** @param ignored names that are neither parameters nor unknown, such as that of an API key. */
  constructor(
    private readonly readers: readonly ParameterReader[],
    private readonly location: 'query' | 'cookie',
    private readonly unknown: UnknownNames,
    private readonly ignored: ReadonlySet<string>,
  ) {
    this.named = new NamedReaders(readers);
  }

  /** Whether there are no parameters to read and unknown names are ignored. */
  get idle(): boolean {
    return this.readers.length === 0 && this.unknown === 'ignore';
  }

  /** Reads all parameters from the pairs of a request. */
  read(pairs: readonly Pair[], fields: Fields, issues: RequestIssue[]): void {
    const given: GivenByReader = [];
    for (const pair of pairs) {
      const ignored = this.ignored.has(pair.name);
      if (!this.named.assign(pair, given, ignored) && !ignored && this.unknown === 'reject')
        this.reject(pair.name, issues);
    }
    for (const [index, reader] of this.readers.entries()) {
      const values = given[index];
      if (values === undefined) reader.readAbsent(fields, issues);
      else readGiven(reader, values, fields, issues);
    }
  }

  private reject(name: string, issues: RequestIssue[]): void {
    const pointer = `/${this.location}/${escapeToken(name)}`;
    if (!issues.some((issue) => issue.pointer === pointer))
      issues.push({ pointer, detail: this.unknownNameDetail() });
  }

  private unknownNameDetail(): string {
    const names = this.readers.map(({ binding }) => binding.name);
    if (names.length === 0) return 'is unknown; the operation has no such parameters';
    return `is unknown; the parameters are ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}`;
  }
}

function append(given: GivenByReader, index: number, value: Given): void {
  const values = given[index] as Given[] | undefined;
  if (values === undefined) given[index] = [value];
  else values.push(value);
}

/** Reads a parameter from all values that the client sent for it. */
export function readGiven(
  reader: ParameterReader,
  values: readonly Given[],
  fields: Fields,
  issues: RequestIssue[],
): void {
  const [first] = values;
  if (!reader.binding.allowEmptyValue || values.length > 1 || first?.raw !== '' || first.keys.length > 0) {
    read(reader, values, fields, issues);
    return;
  }
  // An empty value is valid regardless of the schema (OpenAPI 3.1, Parameter Object,
  // allowEmptyValue).
  const own: RequestIssue[] = [];
  read(reader, values, fields, own);
  if (own.length > 0) fields.add(reader, '');
}

/**
 * Reads the values of a parameter. Repeated cookies are valid: browsers send one for each path and
 * domain, the longest path first (RFC 6265, 5.4). The first one applies, unless the parameter is an
 * exploded array of all of them.
 */
function read(
  reader: ParameterReader,
  values: readonly Given[],
  fields: Fields,
  issues: RequestIssue[],
): void {
  const { binding, shape } = reader;
  const decodePart = DECODERS[binding.in];
  const first = values[0]?.raw ?? '';
  const inCookie = binding.in === 'cookie';
  const once = values.length === 1 || inCookie;
  try {
    if (binding.contentType !== undefined) {
      if (once) reader.readContent(decodePart(first), fields, issues);
      else throw new StyleError('is given more than once');
    } else if (binding.style === 'deepObject') {
      const entries = values.map(({ keys, raw }): DeepEntry => ({ keys, text: decodePart(raw) }));
      const value = coerceDeep(entries, shape, reader.pointer, issues);
      if (value !== INVALID) reader.value(value, fields, issues);
    } else if (values.some(({ property }) => property !== undefined)) {
      reader.readStructure(membersOf(inCookie ? firstOfEach(values) : values, decodePart), fields, issues);
    } else if (binding.explode) {
      const texts = values.map(({ raw }) => raw);
      const all = inCookie && !shape.acceptsArray ? texts.slice(0, 1) : texts;
      reader.readFirstValid(valuesOf(all, shape, decodePart), fields, issues);
    } else if (once) {
      reader.readFirstValid(partsOf(first, binding, shape, decodePart), fields, issues);
    } else {
      throw new StyleError('is given more than once');
    }
  } catch (error) {
    issues.push({ pointer: reader.pointer, detail: describeTextError(error) });
  }
}

/** The members of an exploded object: `R=1&G=2`. */
function membersOf(values: readonly Given[], decodePart: (raw: string) => string): Members {
  const members = new Members();
  for (const { property, raw } of values) {
    if (property === undefined) throw new StyleError('is given both as a value and as an object');
    members.entries.push([property, decodePart(raw)]);
  }
  return members;
}

function firstOfEach(values: readonly Given[]): readonly Given[] {
  const seen = new Set<string | undefined>();
  return values.filter(({ property }) => !seen.has(property) && seen.add(property));
}
