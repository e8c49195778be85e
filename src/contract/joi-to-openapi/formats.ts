/**
 * Joi's string formats as patterns, each no stricter than Joi's own check, and notes about the
 * difference.
 */
import type { JsonObject } from '../json.ts';
import type { DescribedRule } from './described.ts';

/** A format as a pattern. */
export interface FormatPattern {
  /** The pattern between `^` and `$`; undefined if a pattern cannot express the format. */
  readonly body: string | undefined;
  /** `format` keyword, if validators treat it as an annotation or no stricter than Joi. */
  readonly format?: string;
  /** What the pattern does not check. */
  readonly note?: string;
  /** Keywords in place of the pattern, where Joi judges the text as the client sent it. */
  readonly keywords?: JsonObject;
  /** A text of the format that a person recognises. */
  readonly example?: string | undefined;
  /** Whether the pattern accepts both cases of all its letters. */
  readonly anyCase: boolean;
  /** Whether the pattern rejects all text beyond `\uFFFF`. */
  readonly narrow: boolean;
}

type Options = Readonly<Record<string, unknown>>;

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const IPV4 = `(?:${OCTET}\\.){3}${OCTET}`;
const CHUNK = '[A-Za-z0-9+/]';
const URL_CHUNK = '[\\w-]';

const narrow = (body: string, more: Partial<FormatPattern> = {}): FormatPattern => ({
  body,
  anyCase: true,
  narrow: true,
  ...more,
});

const FORMATS: Readonly<Record<string, (options: Options) => FormatPattern>> = {
  alphanum: () => narrow('[a-zA-Z0-9]+', { example: 'abc123' }),
  token: () => narrow('\\w+', { example: 'my_token' }),
  hex: ({ prefix, byteAligned }) =>
    narrow(`${prefix === 'optional' ? '(?:0[xX])?' : prefix === true ? '0[xX]' : ''}[0-9a-fA-F]+`, {
      example: prefix === true ? '0xc0ffee' : 'c0ffee',
      note: byteAligned === true ? 'An odd number of digits gets a zero before it.' : undefined,
    }),
  guid,
  base64: ({ paddingRequired, urlSafe }) => {
    const char = urlSafe === true ? URL_CHUNK : CHUNK;
    const end = paddingRequired === false ? `${char}{2}(?:==)?|${char}{3}=?` : `${char}{2}==|${char}{3}=`;
    return narrow(`(?:${char}{4})*(?:${end})?`, { example: 'aGVsbG8h' });
  },
  dataUri: () => ({
    body: '[dD][aA][tT][aA]:[\\w+.-]+/[\\w+.-]+;[\\s\\S]*',
    anyCase: true,
    narrow: false,
    note: 'A data URI.',
    example: 'data:text/plain;base64,aGVsbG8h',
  }),
  isoDuration: () =>
    narrow('P(?!$)(?:\\d+Y)?(?:\\d+M)?(?:\\d+W)?(?:\\d+D)?(?:T(?=\\d)(?:\\d+H)?(?:\\d+M)?(?:\\d+S)?)?', {
      anyCase: false,
      note: 'An ISO 8601 duration.',
      example: 'P1DT12H',
    }),
  isoDate: () =>
    narrow(ISO_DATE, {
      anyCase: false,
      note: 'An ISO 8601 date.',
      keywords: ISO_DATE_KEYWORDS,
      example: DATE_EXAMPLE,
    }),
  creditCard: () =>
    narrow('[\\d\\s]+', {
      note: 'A credit card number with a valid check digit.',
      example: '4111111111111111',
    }),
  ip,
  hostname: () => ({
    body: '[^\\s/@]+',
    anyCase: true,
    narrow: false,
    note: 'A host name or IP address.',
    example: 'www.example.com',
  }),
  domain: ({ minDomainSegments, tlds }) => ({
    body: `[^\\s/@.]+${domainRest(minDomainSegments)}\\.?`,
    anyCase: true,
    narrow: false,
    note: `A domain name${topLevel(tlds)}.`,
    example: isUsual(tlds, minDomainSegments) ? 'example.com' : undefined,
  }),
  email: ({ multiple, minDomainSegments, tlds }) => ({
    body: multiple === true ? undefined : `[^@]+@[^\\s/@.]+${domainRest(minDomainSegments)}\\.?`,
    format: multiple === true ? undefined : 'idn-email',
    anyCase: true,
    narrow: false,
    example: multiple !== true && isUsual(tlds, minDomainSegments) ? 'ada@example.com' : undefined,
    note:
      multiple === true
        ? 'E-mail addresses with a separator between.'
        : `An e-mail address${topLevel(tlds)}.`,
  }),
  uri: ({ allowRelative, relativeOnly, scheme, encodeUri }) => ({
    body:
      allowRelative === true || relativeOnly === true || encodeUri === true
        ? undefined
        : '[a-zA-Z][a-zA-Z0-9+.-]*:[\\s\\S]*',
    format: allowRelative === true || relativeOnly === true ? 'iri-reference' : 'iri',
    anyCase: true,
    narrow: false,
    example: relativeOnly === true ? '/path' : scheme === undefined ? 'https://example.com/' : undefined,
    note:
      relativeOnly === true
        ? 'A relative URI.'
        : scheme === undefined
          ? 'A URI.'
          : 'A URI of one of certain schemes.',
  }),
};

/** The pattern of a format rule; undefined for other rules. */
export function formatOf({ name, args }: DescribedRule): FormatPattern | undefined {
  const make = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
  return make?.((args?.['options'] ?? {}) as Options);
}

/** A date and time that a person recognises. */
export const DATE_EXAMPLE = '2026-01-31T12:00:00Z';

/** Extension of a schema: its `format` is an annotation, and the text is any ISO 8601 date. */
export const ISO_DATE_EXTENSION = 'x-iso-date';

/** Keywords of a text that Joi's ISO check judges. Documentation and generators see a date-time. */
export const ISO_DATE_KEYWORDS: JsonObject = {
  format: 'date-time',
  [ISO_DATE_EXTENSION]: true,
};

/**
 * A date that Joi's ISO check accepts: calendar, week or ordinal date, with or without time and
 * offset.
 */
export const ISO_DATE =
  '(?:[-+]\\d{2})?\\d{4}(?:-?(?:W\\d{2}(?:-?\\d)?|\\d{2}(?:-?\\d{2})?|\\d{3}))?' +
  '(?:[T\\s]\\d{2}(?::?\\d{2})?(?:[.,]\\d+)?(?::?\\d{2}(?:[.,]\\d+)?)?(?:Z|[-+]\\d{2}(?::?\\d{2})?)?)?';

/**
 * Joi's requirement for the last label: by default a top-level domain that it knows, else one from
 * a list, or none.
 */
function topLevel(tlds: unknown): string {
  if (tlds === false) return '';
  const isRestricted = typeof tlds === 'object' && tlds !== null && ('allow' in tlds || 'deny' in tlds);
  return ` of ${isRestricted ? 'an allowed' : 'a known'} top-level domain`;
}

/** Whether a domain may be example.com. */
function isUsual(tlds: unknown, minSegments: unknown): boolean {
  return (
    (tlds === undefined || tlds === false || tlds === true) &&
    (minSegments === undefined || minSegments === 2)
  );
}

/** The labels after the first; a domain has at least two by default. */
function domainRest(minSegments: unknown): string {
  const more = typeof minSegments === 'number' ? minSegments - 1 : 1;
  return `(?:\\.[^\\s/@.]+)${more === 1 ? '+' : `{${Math.max(more, 0)},}`}`;
}

function guid({ version, separator, wrapper: wrapperOption }: Options): FormatPattern {
  const wrapper = wrapperOption as string | boolean | undefined;
  const listed = version === undefined ? [] : ([version].flat() as string[]);
  const versions = listed.map((one) => one.slice(-1)).join('');
  const gap =
    separator === undefined
      ? '[:-]?'
      : separator === true
        ? '[:-]'
        : separator === false
          ? ''
          : separator === ':'
            ? ':'
            : '-';
  const open =
    wrapper === undefined
      ? '[[{(]?'
      : wrapper === true
        ? '[[{(]'
        : wrapper === false
          ? ''
          : `[${String(wrapper)}]`;
  const closing: Readonly<Record<string, string>> = { '{': '}', '[': '\\]', '(': ')' };
  const close =
    wrapper === undefined
      ? '[\\]})]?'
      : wrapper === true
        ? '[\\]})]'
        : wrapper === false
          ? ''
          : `[${closing[String(wrapper)] ?? ''}]`;
  const hex = '[0-9a-fA-F]';
  // Joi allows a missing separator between later groups.
  const later = gap === '' ? '' : `(?:${gap.replace(/\?$/, '')})?`;
  const body =
    `${open.replace('[[', '[\\[')}${hex}{8}${gap}${hex}{4}${later}${versions === '' ? hex : `[${versions}]`}${hex}{3}${later}` +
    `${versions === '' ? hex : '[89abAB]'}${hex}{3}${later}${hex}{12}${close}`;
  const isUsual =
    separator === undefined && wrapper === undefined && (versions === '' || versions.includes('4'));
  const example = isUsual ? '3fa85f64-5717-4562-b3fc-2c963f66afa6' : undefined;
  return narrow(body, { note: 'A UUID.', example });
}

function ip({ version, cidr }: Options): FormatPattern {
  const versions = version === undefined ? ['ipv4', 'ipv6', 'ipvfuture'] : ([version].flat() as string[]);
  const range = (bits: string): string =>
    cidr === 'required' ? `/${bits}` : cidr === 'forbidden' ? '' : `(?:/${bits})?`;
  const bodies = versions.map((one) =>
    one === 'ipv4'
      ? `${IPV4}${range('(?:3[0-2]|[12]?\\d)')}`
      : one === 'ipv6'
        ? `[0-9a-fA-F:.]*:[0-9a-fA-F:.]*${range('(?:12[0-8]|1[01]\\d|\\d{1,2})')}`
        : `[vV][0-9a-fA-F]+\\.[^\\s/]+${range('\\d{1,3}')}`,
  );
  const future = versions.includes('ipvfuture');
  return narrow(bodies.length === 1 ? bodies.join('') : `(?:${bodies.join('|')})`, {
    note: `An IP address${cidr === 'required' ? ' range' : ''}.`,
    narrow: !future,
    example: versions.includes('ipv4') && cidr !== 'required' ? '192.0.2.1' : undefined,
  });
}
