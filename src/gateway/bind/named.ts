/** Parameters that are found by their names in a list of pairs: those of the query and of cookies. */
import { escapeToken } from '../../contract/json.ts';
import type { Fault } from '../problem.ts';
import { Members, NONE } from './coerce.ts';
import { coerceDeep, type DeepEntry, deepName } from './deep-object.ts';
import type { Pair } from './pairs.ts';
import { type Fields, type ParameterReader, textFault } from './parameters.ts';
import { DECODERS, partsOf } from './style.ts';

/** What to do with names that are no parameter. */
export type Unknown = 'refuse' | 'ignore';

/** Where a name leads: to a parameter, and within an exploded object to its property. */
interface Target {
  readonly index: number;
  readonly property: string | undefined;
}

/** What was given for one parameter. */
interface Given {
  readonly property: string | undefined;
  readonly keys: readonly string[];
  readonly raw: string;
}

export class NamedParameters {
  private readonly targets = new Map<string, Target>();
  private readonly deep = new Map<string, number>();
  /** An exploded object that takes every name nobody else has. */
  private readonly open: number | undefined;

  /** @param ignored names that are no parameters but no fault either, such as that of an API key. */
  constructor(
    private readonly readers: readonly ParameterReader[],
    private readonly place: 'query' | 'cookie',
    private readonly unknown: Unknown,
    private readonly ignored: ReadonlySet<string>,
  ) {
    for (const [index, reader] of readers.entries()) {
      const { name, style } = reader.binding;
      if (style === 'deepObject') this.deep.set(name, index);
      if (!isExplodedObject(reader)) {
        this.targets.set(name, { index, property: undefined });
        continue;
      }
      if (reader.shape.open) this.open = index;
      for (const property of reader.shape.names) {
        if (!this.targets.has(property)) this.targets.set(property, { index, property });
      }
    }
  }

  /** Whether there is nothing to read and nothing to refuse. */
  get idle(): boolean {
    return this.readers.length === 0 && this.unknown === 'ignore';
  }

  read(pairs: readonly Pair[], fields: Fields, faults: Fault[]): void {
    const given: (Given[] | undefined)[] = [];
    for (const { name, raw } of pairs) this.sort(name, raw, given, faults);
    for (const [index, reader] of this.readers.entries()) {
      const values = given[index];
      if (values === undefined) reader.absent(fields, faults);
      else finish(reader, values, fields, faults);
    }
  }

  private sort(name: string, raw: string, given: (Given[] | undefined)[], faults: Fault[]): void {
    const target = this.targets.get(name);
    if (target !== undefined) {
      put(given, target.index, { property: target.property, keys: [], raw });
      return;
    }
    const nested = this.deep.size === 0 ? undefined : deepName(name);
    const deep = nested === undefined ? undefined : this.deep.get(nested.base);
    if (nested !== undefined && deep !== undefined) {
      put(given, deep, { property: undefined, keys: nested.keys, raw });
    } else if (this.ignored.has(name)) {
      return;
    } else if (this.open !== undefined) {
      put(given, this.open, { property: name, keys: [], raw });
    } else if (this.unknown === 'refuse') {
      const pointer = `/${this.place}/${escapeToken(name)}`;
      if (!faults.some((fault) => fault.pointer === pointer))
        faults.push({ pointer, detail: this.refusal() });
    }
  }

  private refusal(): string {
    const names = this.readers.map(({ binding }) => binding.name);
    if (names.length === 0) return 'is not known here; there are no parameters';
    return `is not known here; there is ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}`;
  }
}

function isExplodedObject({ binding, shape }: ParameterReader): boolean {
  if (binding.style === 'deepObject' || binding.contentType !== undefined) return false;
  return binding.explode && shape.record && !shape.list && !shape.single;
}

function put(given: (Given[] | undefined)[], index: number, value: Given): void {
  const values = given[index];
  if (values === undefined) given[index] = [value];
  else values.push(value);
}

/**
 * Reads a parameter from everything that was given for it.
 *
 * Cookies of one name are no fault: browsers send one for each path and domain that has it, that of the longest path
 * first (RFC 6265, 5.4). The first one counts, unless the parameter is an exploded list of them all.
 */
function finish(reader: ParameterReader, values: readonly Given[], fields: Fields, faults: Fault[]): void {
  const { binding, shape } = reader;
  const decodePart = DECODERS[binding.in];
  const first = values[0];
  const isCookie = binding.in === 'cookie';
  try {
    if (binding.style === 'deepObject') {
      const entries = values.map(({ keys, raw }): DeepEntry => ({ keys, text: decodePart(raw) }));
      const value = coerceDeep(entries, shape, reader.pointer, faults);
      if (value !== NONE) reader.value(value, fields, faults);
    } else if (first?.property !== undefined) {
      const members = new Members();
      for (const { property = '', raw } of isCookie ? firstOfEach(values) : values)
        members.entries.push([property, decodePart(raw)]);
      reader.structure(members, fields, faults);
    } else if (binding.explode && shape.list && (values.length > 1 || !shape.single)) {
      reader.structure(
        values.map(({ raw }) => decodePart(raw)),
        fields,
        faults,
      );
    } else if (first === undefined || (values.length > 1 && !isCookie)) {
      faults.push({ pointer: reader.pointer, detail: 'is given more than once' });
    } else if (binding.contentType !== undefined || binding.explode) {
      reader.structure(decodePart(first.raw), fields, faults);
    } else {
      reader.structure(partsOf(first.raw, binding, shape, decodePart), fields, faults);
    }
  } catch (error) {
    faults.push({ pointer: reader.pointer, detail: textFault(error) });
  }
}

function firstOfEach(values: readonly Given[]): readonly Given[] {
  const seen = new Set<string | undefined>();
  return values.filter(({ property }) => !seen.has(property) && seen.add(property));
}
