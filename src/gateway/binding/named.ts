/** Parameters that are found by their names in a list of pairs: those of the query and of cookies. */
import { escapeToken } from '../../contract/json.ts';
import type { Fault } from '../common/problem.ts';
import { INVALID, Members } from './coerce.ts';
import { coerceDeep, type DeepEntry, deepName } from './deep-object.ts';
import type { Pair } from './pairs.ts';
import { describeTextError, type Fields, type ParameterReader } from './parameters.ts';
import { DECODERS, partsOf, StyleError, valuesOf } from './style.ts';

/** What to do with names that are no parameter. */
export type UnknownNames = 'refuse' | 'ignore';

/** Where a name leads: to a parameter, and within an exploded object to its property. */
interface Target {
  readonly index: number;
  readonly property: string | undefined;
}

/** What was given for one parameter. */
export interface Given {
  readonly property: string | undefined;
  readonly keys: readonly string[];
  readonly raw: string;
}

/** What was given, by the number of the reader. */
export type GivenByReader = (readonly Given[] | undefined)[];

/** Readers by the names that they look for. */
export class NamedReaders {
  private readonly targets = new Map<string, Target>();
  private readonly deep = new Map<string, number>();
  /** An exploded object that takes every name that no other parameter has. */
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
      // Where the parameter has values of other kinds too, only an object without declared names takes any.
      if (shape.open && (!takesWholeValue || shape.names.length === 0)) this.open = index;
      for (const property of shape.names) {
        if (!this.targets.has(property)) this.targets.set(property, { index, property });
      }
    }
  }

  /**
   * Puts what was given to the parameter that it belongs to.
   * @param known whether the name is known elsewhere, so that no open object takes it.
   * @returns whether it belongs to one.
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

/** The parameters of one operation in the query or in cookies. */
export class NamedParameters {
  private readonly named: NamedReaders;

  /** @param ignored names that are no parameters but no fault either, such as that of an API key. */
  constructor(
    private readonly readers: readonly ParameterReader[],
    private readonly place: 'query' | 'cookie',
    private readonly unknown: UnknownNames,
    private readonly ignored: ReadonlySet<string>,
  ) {
    this.named = new NamedReaders(readers);
  }

  /** Whether there is nothing to read and nothing to refuse. */
  get idle(): boolean {
    return this.readers.length === 0 && this.unknown === 'ignore';
  }

  read(pairs: readonly Pair[], fields: Fields, faults: Fault[]): void {
    const given: GivenByReader = [];
    for (const pair of pairs) {
      const ignored = this.ignored.has(pair.name);
      if (!this.named.assign(pair, given, ignored) && !ignored && this.unknown === 'refuse')
        this.refuse(pair.name, faults);
    }
    for (const [index, reader] of this.readers.entries()) {
      const values = given[index];
      if (values === undefined) reader.readAbsent(fields, faults);
      else readGiven(reader, values, fields, faults);
    }
  }

  private refuse(name: string, faults: Fault[]): void {
    const pointer = `/${this.place}/${escapeToken(name)}`;
    if (!faults.some((fault) => fault.pointer === pointer)) faults.push({ pointer, detail: this.refusal() });
  }

  private refusal(): string {
    const names = this.readers.map(({ binding }) => binding.name);
    if (names.length === 0) return 'is not known here; there are no parameters';
    return `is not known here; there is ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}`;
  }
}

function append(given: GivenByReader, index: number, value: Given): void {
  const values = given[index] as Given[] | undefined;
  if (values === undefined) given[index] = [value];
  else values.push(value);
}

/** Reads a parameter from everything that was given for it. */
export function readGiven(
  reader: ParameterReader,
  values: readonly Given[],
  fields: Fields,
  faults: Fault[],
): void {
  const [first] = values;
  if (!reader.binding.allowEmptyValue || values.length > 1 || first?.raw !== '' || first.keys.length > 0) {
    read(reader, values, fields, faults);
    return;
  }
  // An empty value is let through, whatever the schema says (OpenAPI 3.1, Parameter Object, allowEmptyValue).
  const own: Fault[] = [];
  read(reader, values, fields, own);
  if (own.length > 0) fields.add(reader, '');
}

/**
 * Cookies of one name are no fault: browsers send one for each path and domain that has it, that of the longest path
 * first (RFC 6265, 5.4). The first one counts, unless the parameter is an exploded list of them all.
 */
function read(reader: ParameterReader, values: readonly Given[], fields: Fields, faults: Fault[]): void {
  const { binding, shape } = reader;
  const decodePart = DECODERS[binding.in];
  const first = values[0]?.raw ?? '';
  const inCookie = binding.in === 'cookie';
  const once = values.length === 1 || inCookie;
  try {
    if (binding.contentType !== undefined) {
      if (once) reader.readContent(decodePart(first), fields, faults);
      else throw new StyleError('is given more than once');
    } else if (binding.style === 'deepObject') {
      const entries = values.map(({ keys, raw }): DeepEntry => ({ keys, text: decodePart(raw) }));
      const value = coerceDeep(entries, shape, reader.pointer, faults);
      if (value !== INVALID) reader.value(value, fields, faults);
    } else if (values.some(({ property }) => property !== undefined)) {
      reader.readStructure(membersOf(inCookie ? firstOfEach(values) : values, decodePart), fields, faults);
    } else if (binding.explode) {
      const texts = values.map(({ raw }) => raw);
      const all = inCookie && !shape.acceptsArray ? texts.slice(0, 1) : texts;
      reader.readFirstValid(valuesOf(all, shape, decodePart), fields, faults);
    } else if (once) {
      reader.readFirstValid(partsOf(first, binding, shape, decodePart), fields, faults);
    } else {
      throw new StyleError('is given more than once');
    }
  } catch (error) {
    faults.push({ pointer: reader.pointer, detail: describeTextError(error) });
  }
}

/** `R=1&G=2`, of an exploded object. */
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
