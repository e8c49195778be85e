/** Random Joi schemas for fast-check, each with candidates for valid values. */

import Joi from 'joi';
import fc from '../helpers/property.ts';

/** A Joi schema and candidates for valid values. */
export interface SchemaSample {
  readonly schema: Joi.Schema;
  readonly candidates: readonly unknown[];
}

const words = [
  '',
  'a',
  'A',
  'abc',
  'ABC',
  ' abc ',
  'aa',
  'é',
  'ß',
  'ſ',
  'K',
  'İ',
  '😀',
  '😀😀',
  'a😀',
  '\t',
  '1',
  ' 1 ',
  '1.5',
  '-0',
  '+3',
  '1e3',
  '.5',
  '5.',
  'true',
  ' TRUE ',
  'no',
  'yes',
  '0',
  'null',
];
const formats = [
  'a@b.co',
  'ü@exämple.com',
  'a@b.c.d.org',
  '"a b"@b.co',
  'a@b.co, c@d.org',
  'http://a.b/c?d#e',
  'git:x',
  'mailto:a@b.co',
  '/rel/path',
  'ftp://[::1]/',
  'example.com',
  'exa_mple.com',
  'bücher.de',
  'localhost',
  'a.b.c.',
  '1.2.3.4',
  '1.2.3.4/24',
  '::1',
  'fe80::1/64',
  '2001:db8::1.2.3.4',
  'v1.abc',
  '69593D62-71EA-4548-85E4-04FC71357423',
  '{69593D6271EA454885E404FC71357423}',
  '69593d62:71ea:4548:85e4:04fc71357423',
  '[69593D62-71EA-4548-85E404FC71357423]',
  'YWJj',
  'YW==',
  'YWI=',
  'YW',
  'data:text/plain;base64,YWJj',
  'data:image/png;charset=utf-8,abc',
  'abc123',
  '0xFF',
  'ff',
  'f',
  'P1Y2M3DT4H5M6S',
  'P2W',
  'PT0S',
  'p1d',
  '4111111111111111',
  '4111 1111 1111 1111',
  '2020-01-01',
  '2020-01-01T00:00:00Z',
  '2020-01-01T10:20',
  '2020-W01-1',
  '2020-001',
  '+002020-01-01T00:00:00.123+01:00',
  '20200101',
  '20200101T101010Z',
  '2020',
  'Jan 1 2020',
  '1577836800000',
  '2020-01-01 10:00:00',
];
const texts = [...words, ...formats];
const numbers = [
  0, -0, 1, 2, 3, 5, -1, 0.1, 0.3, 0.35, 1.005, 1.5, 2.5, 99.99, 100, 1e3, 1e21, 65535, 65536, -7.25,
  1577836800000, 9007199254740991, 9007199254740993, 1e300,
];

export const text = fc.oneof(
  fc.constantFrom(...texts),
  fc.string({ maxLength: 6 }),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
export const number = fc.oneof(
  fc.constantFrom(...numbers),
  fc.integer({ min: -5, max: 20 }),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -20, max: 20 }),
);
export const scalar = fc.oneof(text, number, fc.boolean(), fc.constant(null));
const names = ['a', 'b', 'c', 'd', 'ab', 'x1'];
export const anyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 4 }),
  ),
})).value;

export type Step<S> = (schema: S) => S;
export const steps = <S>(...all: readonly fc.Arbitrary<Step<S>>[]): fc.Arbitrary<Step<S>> =>
  fc
    .array(fc.oneof(...all), { maxLength: 4 })
    .map((some) => (schema) => some.reduce((done, step) => tryStep(done, step), schema));
export const always = <S>(...all: readonly Step<S>[]): fc.Arbitrary<Step<S>> => fc.constantFrom(...all);

/** Applies a rule if Joi accepts its combination with the others. */
export function tryStep<S>(schema: S, step: Step<S>): S {
  try {
    return step(schema);
  } catch {
    return schema;
  }
}

const small = fc.integer({ min: 0, max: 5 });
const regexes = [
  /^a/,
  /b$/i,
  /^[a-c]+$/i,
  /^.{2}$/,
  /^..$/s,
  /\d+/,
  /^[^a]$/,
  /^\W+$/,
  /^a\-b|c$/,
  /(?:^|,)x/m,
  /^\p{L}+$/u,
  /^(?!abc)/,
  /^[\w.+-]+@[\w-]+\.\w+$/,
  /^(a)\1$/,
  /😀/,
  /^[ä-ü]+$/i,
  /^\S+\s\S+$/,
  /[\s\S]{3}/,
  /^\x61\u0062$/,
  /^[^]$/,
  /^\//,
  /[/]/,
  /^[\]\\^-]+$/,
  /(?=a)a|b{2,}?/,
  /^(?<y>a)\k<y>$/,
];

export const strings: fc.Arbitrary<SchemaSample> = steps<Joi.StringSchema>(
  small.map((n) => (s) => s.min(n)),
  small.map((n) => (s) => s.max(n)),
  small.map((n) => (s) => s.length(n)),
  small.map((n) => (s) => s.max(n, 'utf8')),
  small.map((n) => (s) => s.min(n, 'utf8')),
  fc
    .constantFrom(...regexes)
    .chain((regex) => fc.boolean().map((invert) => (s: Joi.StringSchema) => s.pattern(regex, { invert }))),
  always<Joi.StringSchema>(
    (s) => s.trim(),
    (s) => s.lowercase(),
    (s) => s.uppercase(),
    (s) => s.normalize('NFC'),
    (s) => s.normalize('NFKD'),
    (s) => s.insensitive(),
    (s) => s.truncate(),
    (s) => s.replace(/a/g, ''),
    (s) => s.replace(/^$/, 'abc'),
    (s) => s.alphanum(),
    (s) => s.token(),
    (s) => s.hex(),
    (s) => s.hex({ byteAligned: true }),
    (s) => s.hex({ prefix: 'optional' }),
    (s) => s.base64(),
    (s) => s.base64({ paddingRequired: false, urlSafe: true }),
    (s) => s.custom((value: string) => `${value}abc`),
    (s) => s.strict(),
  ),
  always<Joi.StringSchema>(
    (s) => s.dataUri(),
    (s) => s.domain(),
    (s) => s.domain({ minDomainSegments: 1, tlds: false }),
    (s) => s.email(),
    (s) => s.email({ tlds: false }),
    (s) => s.email({ multiple: true }),
    (s) => s.email({ minDomainSegments: 1, tlds: false }),
    (s) => s.guid(),
    (s) => s.guid({ version: ['uuidv4', 'uuidv7'] }),
    (s) => s.guid({ wrapper: '{', separator: false }),
    (s) => s.guid({ wrapper: true, separator: '-' }),
    (s) => s.hostname(),
    (s) => s.ip(),
    (s) => s.ip({ version: ['ipv4'], cidr: 'forbidden' }),
    (s) => s.ip({ version: 'ipv6', cidr: 'required' }),
    (s) => s.isoDate(),
    (s) => s.isoDuration(),
    (s) => s.uri(),
    (s) => s.uri({ scheme: ['http', 'git'] }),
    (s) => s.uri({ allowRelative: true }),
    (s) => s.uri({ relativeOnly: true }),
    (s) => s.creditCard(),
  ),
).map((step) => ({ schema: step(Joi.string()), candidates: texts }));

export const numberSchemas: fc.Arbitrary<SchemaSample> = steps<Joi.NumberSchema>(
  number.map((n) => (s) => s.min(n)),
  number.map((n) => (s) => s.max(n)),
  number.map((n) => (s) => s.greater(n)),
  number.map((n) => (s) => s.less(n)),
  fc.constantFrom(1, 2, 3, 0.1, 0.5, 7).map((n) => (s) => s.multiple(n)),
  small.map((n) => (s) => s.precision(n)),
  always<Joi.NumberSchema>(
    (s) => s.integer(),
    (s) => s.positive(),
    (s) => s.negative(),
    (s) => s.port(),
    (s) => s.unsafe(),
    (s) => s.strict(),
    (s) => s.custom((value: number) => value + 10),
  ),
).map((step) => ({ schema: step(Joi.number()), candidates: [...numbers, ...texts] }));

export const booleans: fc.Arbitrary<SchemaSample> = steps<Joi.BooleanSchema>(
  always<Joi.BooleanSchema>(
    (s) => s.truthy('yes', 1, 'Ja'),
    (s) => s.falsy('no', 0, 'K'),
    (s) => s.sensitive(),
    (s) => s.strict(),
  ),
).map((step) => ({
  schema: step(Joi.boolean()),
  candidates: [true, false, 0, 1, 'ja', 'NO', 'K', ...texts],
}));

export const dates: fc.Arbitrary<SchemaSample> = steps<Joi.DateSchema>(
  always<Joi.DateSchema>(
    (s) => s.iso(),
    (s) => s.timestamp(),
    (s) => s.timestamp('unix'),
    (s) => s.min('2000-01-01'),
    (s) => s.max('now'),
  ),
).map((step) => ({ schema: step(Joi.date()), candidates: [...texts, ...numbers] }));

const others: fc.Arbitrary<SchemaSample> = fc.constantFrom<SchemaSample>(
  { schema: Joi.any(), candidates: [1, 'a', null, {}] },
  {
    schema: Joi.binary().encoding('base64').max(3),
    candidates: ['YWJj', 'abc', { type: 'Buffer', data: [1, 2] }],
  },
  { schema: Joi.valid('a', 1, null, { a: 1 }), candidates: ['a', 1, null, { a: 1 }] },
  { schema: Joi.any().invalid('a', 1), candidates: ['b', 2, 'a'] },
  { schema: Joi.link('#top'), candidates: [] },
);

/** Rules that every Joi schema can have. */
export const common = steps<Joi.Schema>(
  fc.array(scalar, { minLength: 1, maxLength: 3 }).map((values) => (s) => s.allow(...values)),
  fc.array(scalar, { minLength: 1, maxLength: 3 }).map((values) => (s) => s.valid(...values)),
  fc.array(scalar, { minLength: 1, maxLength: 3 }).map((values) => (s) => s.invalid(...values)),
  fc.constantFrom('', 'a', null, 'A').map((value) => (s) => s.empty(value)),
  always<Joi.Schema>(
    (s) => s.empty(Joi.string().max(2)),
    (s) => s.required(),
    (s) => s.optional(),
    (s) => s.forbidden(),
    (s) => s.default('abc'),
    (s) => s.default(5),
    (s) => s.failover('x'),
    (s) => s.strip(),
    (s) => s.label('L').description('D').example('e').note('n').unit('u').meta({ deprecated: true }),
    (s) => s.when('a', { is: 1, then: Joi.required(), otherwise: Joi.forbidden() }),
    (s) => s.when('b', { is: Joi.exist(), then: Joi.valid('q', 7), otherwise: Joi.optional() }),
    (s) =>
      s.when('a', {
        switch: [
          { is: 1, then: Joi.required() },
          { is: 'a', then: Joi.allow('', null) },
        ],
        otherwise: Joi.any().strip(),
      }),
    (s) => s.when(Joi.string().min(3), { then: Joi.string().max(4), otherwise: Joi.any() }),
    (s) => s.prefs({ convert: false }),
  ),
);

export const anySchema: fc.Arbitrary<SchemaSample> = fc.letrec<{
  anySchema: SchemaSample;
  object: SchemaSample;
  array: SchemaSample;
  either: SchemaSample;
}>((tie) => ({
  anySchema: fc
    .tuple(
      fc.oneof(
        { depthSize: 'small', maxDepth: 3 },
        strings,
        numberSchemas,
        booleans,
        dates,
        others,
        tie('object'),
        tie('array'),
        tie('either'),
      ),
      fc.oneof({ weight: 2, arbitrary: fc.constant((s: Joi.Schema) => s) }, { weight: 3, arbitrary: common }),
    )
    .map(([{ schema, candidates }, step]) => ({ schema: step(schema), candidates })),
  object: fc
    .tuple(
      fc.dictionary(fc.constantFrom(...names), tie('anySchema'), { maxKeys: 4 }),
      steps<Joi.ObjectSchema>(
        fc
          .constantFrom('and', 'or', 'xor', 'oxor', 'nand')
          .chain((rel) =>
            fc
              .uniqueArray(fc.constantFrom(...names.slice(0, 4)), { minLength: 2, maxLength: 3 })
              .map((peers) => (s: Joi.ObjectSchema) => s[rel as 'and'](...peers)),
          ),
        always<Joi.ObjectSchema>(
          (s) => s.with('a', ['b']),
          (s) => s.without('a', ['b', 'c']),
          (s) => s.unknown(),
          (s) => s.unknown(false),
          (s) => s.rename('c', 'a'),
          (s) => s.rename('d', 'b', { override: true }),
          (s) => s.rename('b', 'c', { alias: true }),
          (s) => s.rename(/^x/, 'a'),
          (s) => s.pattern(/^a/, Joi.number()),
          (s) => s.pattern(/^X\d$/i, Joi.string()),
          (s) => s.pattern(Joi.string().valid('x1', 'ab'), Joi.boolean()),
          (s) => s.id('top'),
          (s) => s.prefs({ presence: 'required' }),
          (s) => s.prefs({ stripUnknown: true }),
          (s) => s.options({ allowUnknown: true }),
          (s) => s.assert('.a', Joi.exist()),
        ),
        small.map((n) => (s) => s.min(n)),
        small.map((n) => (s) => s.max(n)),
        small.map((n) => (s) => s.length(n)),
      ),
    )
    .map(([keys, step]) => {
      const schemas = Object.fromEntries(Object.entries(keys).map(([name, { schema }]) => [name, schema]));
      const base = tryStep(Joi.object(), (s) => s.keys(schemas));
      const candidates = Array.from({ length: 12 }, (_, n) =>
        Object.fromEntries(
          Object.entries(keys)
            .filter((_entry, index) => (n >> index) % 2 === 0)
            .map(([name, one]) => [
              name,
              one.candidates[(n * 7) % Math.max(one.candidates.length, 1)] ?? 'a',
            ]),
        ),
      );
      return {
        schema: step(base),
        candidates: [{}, ...candidates, ...candidates.map((one) => ({ ...one, x1: 'a', a: 1 }))],
      };
    }),
  array: fc
    .tuple(
      fc.array(tie('anySchema'), { maxLength: 2 }),
      fc.array(tie('anySchema'), { maxLength: 2 }),
      steps<Joi.ArraySchema>(
        small.map((n) => (s) => s.min(n)),
        small.map((n) => (s) => s.max(n)),
        small.map((n) => (s) => s.length(n)),
        fc.tuple(tie('anySchema')).map(
          ([one]) =>
            (s) =>
              s.has(one.schema),
        ),
        always<Joi.ArraySchema>(
          (s) => s.single(),
          (s) => s.sparse(),
          (s) => s.unique(),
          (s) => s.unique('a'),
          (s) => s.sort(),
          (s) => s.items(Joi.string().forbidden()),
          (s) => s.items(Joi.number().required()),
          (s) => s.prefs({ stripUnknown: { arrays: true } }),
        ),
      ),
    )
    .map(([items, ordered, step]) => {
      let schema = Joi.array();
      for (const { schema: item } of items) schema = tryStep(schema, (s) => s.items(item));
      for (const { schema: item } of ordered) schema = tryStep(schema, (s) => s.ordered(item));
      const first = items.flatMap(({ candidates }) => candidates);
      const places = ordered.map(({ candidates }) => candidates[0] ?? 'a');
      const some = Array.from({ length: 6 }, (_, n) => [...places, ...first.slice(n * 3, n * 4)]);
      return {
        schema: step(schema),
        candidates: [[], places, ...some, ...first.slice(0, 3), ...first.map((one) => [one])],
      };
    }),
  either: fc
    .tuple(
      fc.array(tie('anySchema'), { minLength: 1, maxLength: 3 }),
      fc.constantFrom<Step<Joi.AlternativesSchema>>(
        (s) => s,
        (s) => s.match('one'),
        (s) => s.match('all'),
        (s) => s.conditional('a', { is: 1, then: Joi.string(), otherwise: Joi.number() }),
      ),
    )
    .map(([all, step]) => ({
      schema: tryStep(Joi.alternatives().try(...all.map(({ schema }) => schema)), step),
      candidates: all.flatMap(({ candidates }) => candidates),
    })),
})).anySchema;

/** Objects in which one key depends on another. */
export const dependentKeys: fc.Arbitrary<SchemaSample> = fc
  .tuple(
    fc.constantFrom<Joi.Schema>(
      Joi.any(),
      Joi.string().allow(''),
      Joi.valid(1, 'a', null),
      Joi.valid('a', 'b').required(),
      Joi.number().strict(),
      Joi.number(),
      Joi.boolean().strict().default(true),
      Joi.string().lowercase(),
      Joi.any().empty('a'),
      Joi.string().valid('a').insensitive(),
      Joi.any().strip(),
    ),
    fc.oneof(strings, numberSchemas, booleans, others),
    fc.array(
      fc.constantFrom<Step<Joi.Schema>>(
        (s) => s.when('a', { is: 1, then: Joi.required(), otherwise: Joi.forbidden() }),
        (s) => s.when('a', { is: Joi.valid('a', 1), then: Joi.allow(null), otherwise: Joi.required() }),
        (s) => s.when('a', { is: Joi.exist(), then: Joi.valid('q', 7), otherwise: Joi.optional() }),
        (s) => s.when('a', { not: 'a', then: Joi.required() }),
        (s) => s.when('a', { is: Joi.string().min(1), then: Joi.required() }),
        (s) =>
          s.when('a', {
            switch: [
              { is: 1, then: Joi.required() },
              { is: 'a', then: Joi.any().default(5) },
              { is: null, then: Joi.forbidden() },
            ],
          }),
        (s) =>
          s.when('a', {
            switch: [{ is: true, then: Joi.valid(1) }],
            otherwise: Joi.any().empty('').required(),
          }),
        (s) => s.when('a', { is: 'A', then: Joi.any().failover(1), otherwise: Joi.invalid(1) }),
      ),
      { minLength: 1, maxLength: 2 },
    ),
    fc.constantFrom<Step<Joi.ObjectSchema>>(
      (s) => s,
      (s) => s.rename('c', 'a'),
      (s) => s.and('a', 'b'),
      (s) => s.unknown(),
      (s) => s.prefs({ presence: 'required' }),
      (s) => s.prefs({ convert: false }),
    ),
  )
  .map(([a, b, whens, step]) => {
    const schema = whens.reduce((done, when) => tryStep(done, when), b.schema);
    const values = [...b.candidates.filter((_one, index) => index % 5 === 0), 'q', 7, null, 1, ''];
    const firsts = [undefined, 1, '1', 'a', 'A', 'b', null, true, 'true', ''];
    const candidates = firsts.flatMap((first) => [
      { a: first },
      ...values.map((value) => ({ a: first, b: value })),
    ]);
    return {
      schema: step(tryStep(Joi.object(), (s) => s.keys({ a, b: schema }))),
      candidates: [...candidates, { c: 1 }, { c: 1, b: 1 }],
    };
  });
