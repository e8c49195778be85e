/** Media types: reading them, and choosing among them (RFC 9110, 8.3 and 12.5). */

/** A media type, lower case, without parameters but the charset. */
export interface MediaType {
  readonly type: string;
  readonly charset: string | undefined;
}

const MEDIA_TYPE = /^\s*([a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+)\s*(?:;|$)/;
const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]+)"?/;

/** Reads a Content-Type; undefined when it is none. */
export function parseMediaType(text: string): MediaType | undefined {
  const lower = text.toLowerCase();
  const type = MEDIA_TYPE.exec(lower)?.[1];
  return type === undefined ? undefined : { type, charset: CHARSET.exec(lower)?.[1] };
}

export function isJsonType(type: string): boolean {
  return type === 'application/json' || type.endsWith('+json');
}

export const FORM_TYPE = 'application/x-www-form-urlencoded';

/** Whether a type falls under a range such as `application/*`; an exact type is a range too. */
export function inRange(type: string, range: string): boolean {
  if (range === '*/*' || range === type) return true;
  return range.endsWith('/*') && type.startsWith(range.slice(0, -1));
}

interface Weighted {
  readonly value: string;
  readonly weight: number;
}

/** Reads a list of values with weights: Accept, Accept-Encoding. */
function weighted(header: string): Weighted[] {
  return header.split(',').map((part) => {
    const [value = '', ...parameters] = part.split(';');
    const weight = parameters.map((text) => /^\s*q\s*=\s*([\d.]+)\s*$/i.exec(text)?.[1]).find(Boolean);
    return { value: value.trim().toLowerCase(), weight: weight === undefined ? 1 : Number(weight) };
  });
}

/** Whether an Accept header lets one of the types through. */
export function accepts(header: string, types: readonly string[]): boolean {
  if (header === '*/*' || header === '') return true;
  const ranges = weighted(header);
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

/** The first of the codings that an Accept-Encoding header allows with the highest weight; undefined: none. */
export function chooseCoding<Coding extends string>(
  header: string,
  codings: readonly Coding[],
): Coding | undefined {
  const wanted = weighted(header);
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
