/** Texts of the string formats of JSON Schema 2020-12 (Validation, 7.3) and of OpenAPI. */
import type { Random } from './random.ts';

const two = (value: number): string => String(value).padStart(2, '0');
const hex = (random: Random, digits: number): string =>
  Array.from({ length: digits }, () => random.integer(0, 15).toString(16)).join('');
const word = (random: Random): string => random.pick(['alpha', 'bravo', 'delta', 'kilo', 'lima', 'tango']);

/** Days exist in every month and year. */
const date = (random: Random): string =>
  `${random.integer(2000, 2030)}-${two(random.integer(1, 12))}-${two(random.integer(1, 28))}`;
const time = (random: Random): string =>
  `${two(random.integer(0, 23))}:${two(random.integer(0, 59))}:${two(random.integer(0, 59))}Z`;
const host = (random: Random): string => `${word(random)}.example.com`;

const FORMATS: Readonly<Record<string, (random: Random) => string>> = {
  date,
  time,
  'date-time': (random) => `${date(random)}T${time(random)}`,
  'iso-time': time,
  'iso-date-time': (random) => `${date(random)}T${time(random)}`,
  duration: (random) => `P${random.integer(1, 30)}DT${random.integer(1, 23)}H`,
  email: (random) => `${word(random)}${random.integer(1, 99)}@example.com`,
  'idn-email': (random) => `${word(random)}@example.com`,
  hostname: host,
  'idn-hostname': host,
  ipv4: (random) => `192.0.2.${random.integer(1, 254)}`,
  ipv6: (random) => `2001:db8::${hex(random, 4)}`,
  uri: (random) => `https://example.com/${word(random)}`,
  url: (random) => `https://example.com/${word(random)}`,
  iri: (random) => `https://example.com/${word(random)}`,
  'uri-reference': (random) => `/${word(random)}`,
  'iri-reference': (random) => `/${word(random)}`,
  'uri-template': (random) => `/${word(random)}/{id}`,
  uuid: (random) =>
    `${hex(random, 8)}-${hex(random, 4)}-4${hex(random, 3)}-a${hex(random, 3)}-${hex(random, 12)}`,
  'json-pointer': (random) => `/${word(random)}`,
  'json-pointer-uri-fragment': (random) => `#/${word(random)}`,
  'relative-json-pointer': () => '0/name',
  regex: () => '^[a-z]+$',
  byte: (random) => Buffer.from(word(random)).toString('base64'),
  password: (random) => `${word(random)}-${hex(random, 6)}`,
};

/** Returns a text of a format, or undefined if the format is unknown. */
export function formatted(format: string, random: Random): string | undefined {
  return Object.hasOwn(FORMATS, format) ? FORMATS[format]?.(random) : undefined;
}
