/**
 * Parses media types with the package `content-type`, and negotiates among them (RFC 9110, 8.3 and
 * 12.5). The package `negotiator` is not used because it compares charsets: `Accept:
 * application/json;charset=utf-8` would cause a 406 for a document that names `application/json`.
 */
import { parse } from 'content-type';

/** A media type, in lower case. */
export interface MediaType {
  /** `application/json`, without parameters. */
  readonly type: string;
  readonly charset: string | undefined;
  /** All parameters except the charset. Names are in lower case, values are unchanged. */
  readonly parameters: ReadonlyMap<string, string>;
}

const MEDIA_TYPE = /^[a-z0-9!#$&^_.+*-]+\/[a-z0-9!#$&^_.+*-]+$/;
const TEXT_TYPE =
  /^(?:text\/.*|application\/(?:.*\+)?(?:xml|yaml)|application\/(?:graphql|javascript|sql|toml|x-ndjson|jsonl))$/;
const NO_PARAMETERS: ReadonlyMap<string, string> = new Map();

/** Parses a media type or range; undefined if it is not valid. */
export function parseMediaType(text: string): MediaType | undefined {
  const { type, parameters: given } = parse(text);
  if (!MEDIA_TYPE.test(type)) return undefined;
  const entries = Object.entries(given);
  if (entries.length === 0) return { type, charset: undefined, parameters: NO_PARAMETERS };
  const parameters = new Map(entries);
  const charset = parameters.get('charset')?.toLowerCase();
  parameters.delete('charset');
  return { type, charset, parameters };
}

/** A media type without its parameters, in lower case. */
export function essenceOf(text: string): string {
  const end = text.indexOf(';');
  return (end === -1 ? text : text.slice(0, end)).trim().toLowerCase();
}

/** @param type with or without parameters. */
export function isJsonType(type: string): boolean {
  const essence = essenceOf(type);
  return essence === 'application/json' || essence.endsWith('+json');
}

export const FORM_TYPE = 'application/x-www-form-urlencoded';

/** @param type with or without parameters. */
export function isFormType(type: string): boolean {
  return essenceOf(type) === FORM_TYPE;
}

export const MULTIPART_TYPE = 'multipart/form-data';

/** @param type with or without parameters. */
export function isMultipartType(type: string): boolean {
  return essenceOf(type) === MULTIPART_TYPE;
}

/**
 * Whether bodies of a type are text. The bytes of other types mean nothing as characters.
 * @param type with or without parameters.
 */
export function isTextType(type: string): boolean {
  return TEXT_TYPE.test(essenceOf(type));
}

/** Whether a type matches a range such as `application/*`. A type is also a range. */
export function inRange(type: string, range: string): boolean {
  if (range === '*/*' || range === type) return true;
  return range.endsWith('/*') && type.startsWith(range.slice(0, -1));
}

/**
 * Finds the item whose media type matches a type best: the most specific one, then the one that
 * shares the most parameters. Items with conflicting parameters do not match. Charsets are ignored.
 */
export function bestMatch<Item>(
  type: string,
  items: readonly Item[],
  typeOf: (item: Item) => string,
): Item | undefined {
  const wanted = parseMediaType(type);
  let best: Item | undefined;
  let highest = 0;
  for (const item of items) {
    const rank = wanted === undefined ? 0 : rankOf(wanted, parseMediaType(typeOf(item)));
    if (rank > highest) [best, highest] = [item, rank];
  }
  return best;
}

/** How well a type matches a range; 0 if it does not match. */
function rankOf(type: MediaType, range: MediaType | undefined): number {
  if (range === undefined || !inRange(type.type, range.type)) return 0;
  let rank = (specificity(range.type) + 1) * 100;
  for (const [name, value] of range.parameters) {
    const own = type.parameters.get(name);
    if (own !== undefined && own.toLowerCase() !== value.toLowerCase()) return 0;
    rank += own === undefined ? -1 : 1;
  }
  return rank;
}

interface Weighted {
  readonly value: string;
  readonly weight: number;
}

/** Parses a header that lists values with weights: Accept, Accept-Encoding. */
function parseWeighted(header: string): Weighted[] {
  const items: Weighted[] = [];
  for (let start = 0; start < header.length; ) {
    const { type, index, parameters } = parse(header, { comma: true, start });
    const weight = /^[\d.]+$/.test(parameters['q'] ?? '') ? Number(parameters['q']) : 1;
    items.push({ value: type, weight });
    start = index + 1;
  }
  return items;
}

/** Whether an Accept header accepts one of the types. */
export function accepts(header: string, types: readonly string[]): boolean {
  if (header === '*/*' || header === '') return true;
  const ranges = parseWeighted(header);
  return types.some((type) => {
    let best: Weighted | undefined;
    for (const range of ranges) {
      if (inRange(type, range.value) && specificity(range.value) >= specificity(best?.value)) best = range;
    }
    return best !== undefined && best.weight > 0;
  });
}

function specificity(range: string | undefined): number {
  if (range === undefined) return -1;
  return range === '*/*' ? 0 : range.endsWith('/*') ? 1 : 2;
}

/**
 * Chooses the coding with the highest weight in an Accept-Encoding header. Among equal weights, the
 * first one wins. Returns undefined if the header accepts none.
 */
export function chooseCoding<Coding extends string>(
  header: string,
  codings: readonly Coding[],
): Coding | undefined {
  const wanted = parseWeighted(header);
  const any = wanted.find(({ value }) => value === '*')?.weight ?? 0;
  let chosen: Coding | undefined;
  let highest = 0;
  for (const coding of codings) {
    const weight = wanted.find(({ value }) => value === coding)?.weight ?? any;
    if (weight > highest) {
      chosen = coding;
      highest = weight;
    }
  }
  return chosen;
}
