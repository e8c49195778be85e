/**
 * The conversion of each Joi construct: values that Joi and the schema accept, values that both
 * reject, and, if JSON Schema cannot express the rule, values that only Joi rejects and the note in
 * the description.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Joi from 'joi';
import { joiToSchema } from '../../../src/contract/index.ts';
import { createAjv } from '../../../src/openapi/index.ts';

interface Row {
  readonly takes: readonly unknown[];
  readonly refuses?: readonly unknown[];
  /** Values that only Joi rejects. */
  readonly left?: readonly unknown[];
  /** The note in the description. */
  readonly says?: RegExp;
}

const uuid = '69593d62-71ea-4548-85e4-04fc71357423';
const tree = Joi.object({ name: Joi.string().required(), children: Joi.array().items(Joi.link('#tree')) }).id(
  'tree',
);

const ROWS: Readonly<Record<string, readonly [Joi.Schema, Row]>> = {
  any: [Joi.any(), { takes: [1, 'a', null, {}, []] }],
  'any.valid': [Joi.valid('a', 1, null), { takes: ['a', 1, null], refuses: ['b', 2, {}] }],
  'any.valid of objects': [
    Joi.valid({ a: 1 }, { b: [2] }),
    { takes: [{ a: 1 }, { b: [2] }], refuses: [{ a: 2 }, [], {}] },
  ],
  'any.invalid': [Joi.any().invalid('a', 1), { takes: ['b', 2], refuses: ['a', 1] }],
  'any.valid of a reference': [
    Joi.object({ a: Joi.any(), b: Joi.valid(Joi.ref('a')) }),
    { takes: [{ a: 1, b: 1 }], left: [{ a: 1, b: 2 }], says: /another value gives/ },
  ],
  'any.custom': [
    Joi.any().custom(
      (value: unknown, helpers) => (value === 1 ? value : helpers.error('any.invalid')),
      'must be one',
    ),
    { takes: [1], left: [2] },
  ],
  'any.forbidden': [Joi.object({ a: Joi.forbidden() }), { takes: [{}], refuses: [{ a: 1 }, { b: 1 }] }],
  'any.required': [Joi.object({ a: Joi.required() }), { takes: [{ a: null }], refuses: [{}] }],
  'any.optional': [Joi.object({ a: Joi.optional() }), { takes: [{}, { a: 1 }], refuses: [{ b: 1 }] }],
  'any.default': [
    Joi.object({ a: Joi.string().default('x') }),
    { takes: [{}, { a: 'a' }], refuses: [{ a: 1 }] },
  ],
  'any.failover': [Joi.number().failover(5), { takes: [1, 'no', null] }],
  'any.empty': [
    Joi.object({ a: Joi.string().min(2).empty('') }),
    { takes: [{ a: '' }, { a: 'ab' }, {}], refuses: [{ a: 'a' }, { a: 1 }] },
  ],
  'any.empty after a change': [
    Joi.object({
      a: Joi.string().min(2).replace(/a/g, '').empty(''),
      b: Joi.string().trim().valid('q').empty(Joi.string().max(2)),
      c: Joi.string().trim().min(2).empty(''),
    }),
    {
      takes: [{ a: 'a' }, { b: ' 1 ' }, { c: '  ' }, { a: 'bb', b: 'q', c: 'cc' }],
      refuses: [{ a: 1 }, { b: 1 }, { c: 'c' }],
    },
  ],
  // Joi trims text before it compares it with the empty value, even without conversion.
  'any.empty of trimmed text without conversion': [
    Joi.object({ a: Joi.string().trim().empty('').prefs({ convert: false }) }),
    { takes: [{ a: '' }, { a: '\t' }, { a: 'a' }, {}], refuses: [{ a: ' a' }, { a: 1 }] },
  ],
  'any.when of an adjusted reference': [
    Joi.object({
      a: Joi.any(),
      b: Joi.any().when(Joi.ref('a', { adjust: (a: unknown) => Number(a) - 1 }), {
        is: 1,
        then: Joi.required(),
        otherwise: Joi.forbidden(),
      }),
    }),
    { takes: [{ a: 2, b: 1 }, { a: 1 }], left: [{ a: 2 }, { a: 1, b: 1 }], says: /Depends on other values/ },
  ],
  'any.strip': [Joi.object({ a: Joi.number().strip() }), { takes: [{ a: 1 }, {}], refuses: [{ a: 'x' }] }],
  'any.allow': [Joi.string().min(2).allow('x', 5), { takes: ['x', 5, 'ab'], refuses: ['y', 6] }],
  'any.only by when': [
    Joi.object({
      kind: Joi.valid('a', 'b').required(),
      value: Joi.number().when('kind', { is: 'a', then: Joi.required(), otherwise: Joi.forbidden() }),
    }),
    {
      takes: [{ kind: 'a', value: 1 }, { kind: 'b' }],
      refuses: [{ kind: 'a', value: 'x' }, { kind: 'c' }, { kind: 'a' }, { kind: 'b', value: 1 }],
    },
  ],
  'any.when, then alone': [
    Joi.object({ a: Joi.boolean().strict(), b: Joi.string().when('a', { is: true, then: Joi.required() }) }),
    { takes: [{ a: true, b: 'x' }, { a: false }, {}, { b: 'x' }], refuses: [{ a: true }, { b: 1 }] },
  ],
  'any.when, exists': [
    Joi.object({
      a: Joi.any(),
      b: Joi.number()
        .strict()
        .when('a', { is: Joi.exist(), then: Joi.number().min(5), otherwise: Joi.number().max(2) }),
    }),
    { takes: [{ a: 1, b: 5 }, { b: 2 }, { a: 1 }], refuses: [{ a: 1, b: 4 }, { b: 3 }] },
  ],
  'any.when, switch': [
    Joi.object({
      a: Joi.any(),
      b: Joi.any().when('a', {
        switch: [
          { is: 1, then: Joi.valid('one') },
          { is: 2, then: Joi.valid('two') },
        ],
        otherwise: Joi.forbidden(),
      }),
    }),
    {
      takes: [{ a: 1, b: 'one' }, { a: 2, b: 'two' }, { a: 3 }, {}],
      refuses: [{ a: 1, b: 'two' }, { a: 3, b: 'one' }, { b: 'x' }],
    },
  ],
  'any.when of something deeper': [
    Joi.object({
      a: Joi.object({ c: Joi.any() }),
      b: Joi.string().when('a.c', { is: 1, then: Joi.required() }),
    }),
    {
      takes: [{ a: { c: 1 }, b: 'x' }, {}],
      refuses: [{ b: 1 }],
      left: [{ a: { c: 1 } }],
      says: /Depends on other values/,
    },
  ],
  'any.when of itself': [
    Joi.string().when(Joi.string().pattern(/^x/), {
      then: Joi.string().max(3),
      otherwise: Joi.string().max(5),
    }),
    { takes: ['xyz', 'abcde'], refuses: ['abcdef', 5], left: ['xyzz'], says: /Depends/ },
  ],
  alternatives: [
    Joi.alternatives(Joi.number().strict(), Joi.boolean().strict()),
    { takes: [1, true], refuses: ['a', null] },
  ],
  'alternatives.match one': [
    Joi.alternatives().try(Joi.number().strict().min(5), Joi.number().strict().max(10)).match('one'),
    { takes: [1, 11], left: [7], says: /exactly one/ },
  ],
  'alternatives.match all': [
    Joi.alternatives().try(Joi.number().strict().min(5), Joi.number().strict().max(10)).match('all'),
    { takes: [7], refuses: [1, 11] },
  ],
  'alternatives.conditional': [
    Joi.object({
      a: Joi.any(),
      b: Joi.alternatives().conditional('a', {
        is: 1,
        then: Joi.string(),
        otherwise: Joi.boolean().strict(),
      }),
    }),
    {
      takes: [
        { a: 1, b: 'x' },
        { a: 2, b: true },
      ],
      refuses: [{ a: 1, b: {} }],
      left: [{ a: 1, b: true }],
      says: /depends on other values/,
    },
  ],

  string: [Joi.string(), { takes: ['a', ' '], refuses: ['', 1, null] }],
  'string.allow empty': [Joi.string().allow(''), { takes: ['', 'a'], refuses: [1, null] }],
  'string.allow null': [Joi.string().allow(null), { takes: [null, 'a'], refuses: ['', 1] }],
  'string.min': [Joi.string().min(3), { takes: ['abc', 'a😀'], refuses: ['ab', 'é'] }],
  'string.max': [Joi.string().max(3), { takes: ['abc'], refuses: ['abcd'], left: ['😀😀'] }],
  'string.length': [Joi.string().length(2), { takes: ['ab', '😀'], refuses: ['a', 'abc'] }],
  'string.length by reference': [
    Joi.object({ n: Joi.number(), s: Joi.string().length(Joi.ref('n')) }),
    {
      takes: [{ n: 2, s: 'ab' }],
      refuses: [{ n: 2, s: 1 }],
      left: [{ n: 2, s: 'abc' }],
      says: /depends on another value/,
    },
  ],
  'string.min in bytes': [
    Joi.string().min(4, 'utf8'),
    { takes: ['😀', 'abcd'], refuses: [''], left: ['abc'], says: /At least 4 bytes as utf8/ },
  ],
  'string.alphanum': [Joi.string().alphanum(), { takes: ['aZ9'], refuses: ['a-b', 'é'] }],
  'string.token': [Joi.string().token(), { takes: ['a_1'], refuses: ['a-b'] }],
  'string.hex': [Joi.string().hex(), { takes: ['0aF'], refuses: ['0x1', 'g'] }],
  'string.hex prefix': [Joi.string().hex({ prefix: true }), { takes: ['0xF'], refuses: ['F'] }],
  'string.base64': [Joi.string().base64(), { takes: ['YWJj', 'YWI='], refuses: ['YWI', '!!!!'] }],
  'string.base64 for URLs, unpadded': [
    Joi.string().base64({ urlSafe: true, paddingRequired: false }),
    { takes: ['YWI', '_-8'], refuses: ['a', '+/=='] },
  ],
  'string.dataUri': [
    Joi.string().dataUri(),
    {
      takes: ['data:text/plain;base64,YWJj'],
      refuses: ['text'],
      left: ['data:text/plain;base64,Y'],
      says: /data URI/,
    },
  ],
  'string.guid': [
    Joi.string().guid(),
    { takes: [uuid, `{${uuid}}`, uuid.replaceAll('-', '')], refuses: ['x', uuid.slice(1)] },
  ],
  'string.guid of a version': [
    Joi.string().guid({ version: 'uuidv4', wrapper: false, separator: '-' }),
    {
      takes: [uuid, uuid.toUpperCase()],
      refuses: [uuid.replace('4548', '1548'), `{${uuid}}`, uuid.replaceAll('-', '')],
    },
  ],
  'string.email': [
    Joi.string().email(),
    {
      takes: ['a@b.co', 'ä@b.co'],
      refuses: ['a', 'a@b', 'a@@b.co', 'a b'],
      left: ['a@b.notatld'],
      says: /e-mail address/,
    },
  ],
  'string.email of any domain': [
    Joi.string().email({ tlds: false, minDomainSegments: 1 }),
    { takes: ['a@b', 'a@b.whatever'], refuses: ['a'] },
  ],
  'string.domain': [
    Joi.string().domain(),
    {
      takes: ['a.com', 'bücher.de'],
      refuses: ['a', 'a b.com', 'a..com'],
      left: ['a.notatld'],
      says: /domain/,
    },
  ],
  'string.hostname': [
    Joi.string().hostname(),
    { takes: ['localhost', '1.2.3.4', 'a.b'], refuses: ['a b', 'a/b'], left: ['-'], says: /host name/ },
  ],
  'string.ip': [
    Joi.string().ip(),
    { takes: ['1.2.3.4', '::1', '1.2.3.4/24'], refuses: ['1.2.3', '1.2.3.256', 'a'] },
  ],
  'string.ip v4 alone': [
    Joi.string().ip({ version: 'ipv4', cidr: 'forbidden' }),
    { takes: ['1.2.3.4'], refuses: ['::1', '1.2.3.4/24'] },
  ],
  'string.ip with range': [
    Joi.string().ip({ version: 'ipv4', cidr: 'required' }),
    { takes: ['1.2.3.4/24'], refuses: ['1.2.3.4', '1.2.3.4/33'] },
  ],
  'string.uri': [
    Joi.string().uri(),
    { takes: ['http://a.b/c', 'mailto:a@b'], refuses: ['a/b', '//a'], left: ['http://a b'], says: /URI/ },
  ],
  'string.uri of a scheme': [
    Joi.string().uri({ scheme: 'https' }),
    { takes: ['https://a.b'], refuses: ['a'], left: ['http://a.b'], says: /certain schemes/ },
  ],
  'string.uri, relative': [
    Joi.string().uri({ relativeOnly: true }),
    { takes: ['/a/b'], left: ['http://a.b'], says: /relative URI/ },
  ],
  'string.isoDate': [
    Joi.string().isoDate(),
    {
      takes: ['2020-01-01', '2020-01-01T10:00:00Z', '2020-01-01T10:00:00+02:00'],
      refuses: ['1.1.2020', 'now'],
      left: ['2020-02-31T25:00'],
      says: /ISO 8601/,
    },
  ],
  'string.isoDuration': [
    Joi.string().isoDuration(),
    { takes: ['P1Y', 'PT5S', 'P2W'], refuses: ['P', '1Y', 'PT', 'p1y'] },
  ],
  'string.creditCard': [
    Joi.string().creditCard(),
    { takes: ['4111111111111111'], refuses: ['x'], left: ['4111111111111112'], says: /check digit/ },
  ],
  'string.pattern': [Joi.string().pattern(/^a\d+$/), { takes: ['a1'], refuses: ['a', 'b1'] }],
  'string.pattern insensitive': [
    Joi.string().pattern(/^ab[c-e]$/i),
    { takes: ['ABC', 'abD'], refuses: ['abf'] },
  ],
  'string.pattern of many lines': [Joi.string().pattern(/^b$/m), { takes: ['a\nb', 'b'], refuses: ['ab'] }],
  'string.pattern, dot for all': [Joi.string().pattern(/^a.b$/s), { takes: ['a\nb'], refuses: ['ab'] }],
  'string.pattern, Unicode': [Joi.string().pattern(/^\p{Lu}$/u), { takes: ['Ä'], refuses: ['ä'] }],
  'string.pattern inverted': [
    Joi.string().pattern(/abc/, { invert: true }),
    { takes: ['ab'], refuses: ['xabcx'] },
  ],
  'string.pattern with a name': [Joi.string().pattern(/^a$/, 'just a'), { takes: ['a'], refuses: ['b'] }],
  'string.pattern twice': [Joi.string().pattern(/^a/).pattern(/b$/), { takes: ['ab'], refuses: ['a', 'b'] }],
  'string.pattern that cannot be said': [
    Joi.string().pattern(/^ÄÖ$/i),
    { takes: ['äö'], left: ['x'], says: /Must match \/\^ÄÖ\$\/i/ },
  ],
  'string.trim': [Joi.string().trim().alphanum(), { takes: [' a ', 'a'], refuses: [' a b ', ' '] }],
  'string.trim and max': [
    Joi.string().trim().max(2),
    { takes: ['  ab  '], refuses: ['  '], left: ['abc'], says: /At most 2 characters/ },
  ],
  'string.trim strict': [Joi.string().trim().strict(), { takes: ['a'], refuses: [' a', 'a '] }],
  'string.lowercase': [Joi.string().lowercase().valid('abc'), { takes: ['ABC', 'abc'], refuses: ['abd'] }],
  'string.uppercase strict': [Joi.string().uppercase().strict(), { takes: ['ABC'], refuses: ['aBC'] }],
  'string.truncate': [Joi.string().max(3).truncate(), { takes: ['abcdef'], refuses: [''] }],
  'string.replace': [
    Joi.string().replace(/-/g, '').length(2),
    { takes: ['a-b'], refuses: [1], left: ['abc'], says: /replaced/ },
  ],
  'string.insensitive': [
    Joi.string().valid('Yes', 'No').insensitive(),
    { takes: ['YES', 'no'], refuses: ['maybe'] },
  ],
  'string.invalid insensitive': [
    Joi.string().invalid('root').insensitive(),
    { takes: ['user'], refuses: ['ROOT', 'root'] },
  ],
  'string.normalize': [Joi.string().normalize('NFC').max(1), { takes: ['e\u0301', 'a'], refuses: ['ab'] }],

  number: [Joi.number(), { takes: [1, 1.5, '2', ' 3 '], refuses: ['a', null, true, '0x1', ' '] }],
  'number strict': [Joi.number().strict(), { takes: [1], refuses: ['1'] }],
  'number.integer': [Joi.number().strict().integer(), { takes: [1, 1.0], refuses: [1.5] }],
  'number.min and max': [Joi.number().strict().min(1).max(3), { takes: [1, 3], refuses: [0, 4] }],
  'number.greater and less': [Joi.number().strict().greater(1).less(3), { takes: [2], refuses: [1, 3] }],
  'number.positive': [Joi.number().strict().positive(), { takes: [0.1], refuses: [0, -1] }],
  'number.negative': [Joi.number().strict().negative(), { takes: [-0.1], refuses: [0, 1] }],
  'number.multiple': [Joi.number().strict().multiple(3), { takes: [9, 0], refuses: [10] }],
  'number.multiple of a fraction': [
    Joi.number().strict().multiple(0.1),
    { takes: [0.3], left: [0.35], says: /multiple of 0.1/ },
  ],
  'number.port': [Joi.number().strict().port(), { takes: [0, 65_535], refuses: [-1, 65_536, 1.5] }],
  'number.precision': [Joi.number().precision(1).max(2), { takes: [2.04, 1.23], refuses: [2.2] }],
  'number.precision strict': [
    Joi.number().precision(1).strict(),
    { takes: [1.2], left: [1.25], says: /1 decimal/ },
  ],
  'number.unsafe': [Joi.number().strict().unsafe(), { takes: [1e300] }],
  'number, safe': [Joi.number().strict(), { takes: [9_007_199_254_740_991], left: [1e300] }],
  'number by reference': [
    Joi.object({ a: Joi.number().strict(), b: Joi.number().strict().min(Joi.ref('a')) }),
    { takes: [{ a: 1, b: 2 }], left: [{ a: 2, b: 1 }], says: /by another value/ },
  ],
  'number.valid': [Joi.number().strict().valid(1, 2), { takes: [1], refuses: [3, '1'] }],
  'number.invalid': [Joi.number().strict().invalid(13), { takes: [12], refuses: [13] }],
  'number.warning': [Joi.number().strict().min(5).warn(), { takes: [1, 6] }],

  boolean: [Joi.boolean(), { takes: [true, 'true', ' FALSE '], refuses: ['yes', 1, null] }],
  'boolean.truthy': [
    Joi.boolean().truthy('yes', 1).falsy('no', 0),
    { takes: ['YES', 1, 'no', 0], refuses: ['maybe', 2] },
  ],
  'boolean.sensitive': [
    Joi.boolean().truthy('Y').sensitive(),
    { takes: ['Y', 'true'], refuses: ['y', 'TRUE'] },
  ],
  'boolean strict': [Joi.boolean().strict(), { takes: [true], refuses: ['true'] }],

  date: [
    Joi.date(),
    {
      takes: ['2020-01-01', 0, '1577836800000'],
      refuses: [true, null, {}, ''],
      left: ['soon'],
      says: /A date/,
    },
  ],
  'date.iso': [Joi.date().iso(), { takes: ['2020-01-01T00:00:00Z'], refuses: ['Jan 1 2020', true] }],
  'date.timestamp': [
    Joi.date().timestamp('unix'),
    { takes: [1_577_836_800], refuses: [true], left: ['soon'], says: /seconds since 1970/ },
  ],
  'date.min': [
    Joi.date().min('2020-01-01'),
    { takes: ['2021-01-01'], left: ['2019-01-01'], says: /min 2020-01-01/ },
  ],

  binary: [
    Joi.binary().encoding('base64').max(3),
    { takes: ['YWJj'], refuses: [1], left: ['YWJjZA=='], says: /max 3 bytes/ },
  ],

  object: [Joi.object(), { takes: [{}, { a: 1 }], refuses: [[], 'a', null] }],
  'object of no keys': [Joi.object({}), { takes: [{}], refuses: [{ a: 1 }] }],
  'object.keys': [
    Joi.object({ a: Joi.string() }),
    { takes: [{ a: 'x' }, {}], refuses: [{ a: 1 }, { b: 1 }] },
  ],
  'object.unknown': [Joi.object({ a: Joi.string() }).unknown(), { takes: [{ b: 1 }], refuses: [{ a: 1 }] }],
  'object.options stripUnknown': [
    Joi.object({ a: Joi.string() }).options({ stripUnknown: true }),
    { takes: [{ b: 1 }], refuses: [{ a: 1 }] },
  ],
  'object.options presence': [
    Joi.object({ a: Joi.string() }).prefs({ presence: 'required' }),
    { takes: [{ a: 'x' }], refuses: [{}] },
  ],
  'object.and': [
    Joi.object({ a: Joi.any(), b: Joi.any() }).and('a', 'b'),
    { takes: [{}, { a: 1, b: 1 }], refuses: [{ a: 1 }] },
  ],
  'object.or': [
    Joi.object({ a: Joi.any(), b: Joi.any() }).or('a', 'b'),
    { takes: [{ a: 1 }, { a: 1, b: 1 }], refuses: [{}] },
  ],
  'object.xor': [
    Joi.object({ a: Joi.any(), b: Joi.any() }).xor('a', 'b'),
    { takes: [{ a: 1 }], refuses: [{}, { a: 1, b: 1 }] },
  ],
  'object.oxor': [
    Joi.object({ a: Joi.any(), b: Joi.any(), c: Joi.any() }).oxor('a', 'b', 'c'),
    { takes: [{}, { a: 1 }], refuses: [{ a: 1, c: 1 }] },
  ],
  'object.nand': [
    Joi.object({ a: Joi.any(), b: Joi.any() }).nand('a', 'b'),
    { takes: [{}, { a: 1 }], refuses: [{ a: 1, b: 1 }] },
  ],
  'object.with': [
    Joi.object({ a: Joi.any(), b: Joi.any() }).with('a', 'b'),
    { takes: [{ b: 1 }, { a: 1, b: 1 }], refuses: [{ a: 1 }] },
  ],
  'object.without': [
    Joi.object({ a: Joi.any(), b: Joi.any() }).without('a', 'b'),
    { takes: [{ a: 1 }, { b: 1 }], refuses: [{ a: 1, b: 1 }] },
  ],
  'object.and of a key with a default': [
    Joi.object({ a: Joi.any(), b: Joi.any().default(1) }).and('a', 'b'),
    { takes: [{ a: 1 }], says: /All or none/ },
  ],
  'object.with, deeper': [
    Joi.object({ a: Joi.any(), b: Joi.object({ c: Joi.any() }) }).with('a', 'b.c'),
    { takes: [{ a: 1, b: { c: 1 } }], left: [{ a: 1 }], says: /With a, b.c must be given/ },
  ],
  'object.min and max': [
    Joi.object().min(1).max(2),
    { takes: [{ a: 1 }], refuses: [{}, { a: 1, b: 1, c: 1 }] },
  ],
  'object.length': [Joi.object().length(1), { takes: [{ a: 1 }], refuses: [{}, { a: 1, b: 2 }] }],
  'object.pattern': [
    Joi.object().pattern(/^x/, Joi.number().strict()),
    { takes: [{ x1: 1 }], refuses: [{ x1: 'a' }, { y: 1 }] },
  ],
  'object.pattern insensitive, beside keys': [
    Joi.object({ xa: Joi.string() }).pattern(/^X/i, Joi.number().strict()),
    { takes: [{ xa: 'a', Xb: 1 }], refuses: [{ y: 1 }, { xa: 1 }] },
  ],
  'object.pattern by schema': [
    Joi.object().pattern(Joi.string().min(2), Joi.boolean().strict()),
    { takes: [{ ab: true }], refuses: [{ a: true }, { ab: 1 }] },
  ],
  'object.rename': [
    Joi.object({ a: Joi.number().strict().required() }).rename('b', 'a'),
    {
      takes: [{ b: 1 }, { a: 1 }],
      refuses: [{ b: 'x' }, { c: 1 }],
      left: [{}],
      says: /b is another name for a/,
    },
  ],
  'object.assert': [
    Joi.object({ a: Joi.any(), b: Joi.any() }).assert('.a', Joi.ref('b'), 'a equals b'),
    { takes: [{ a: 1, b: 1 }], left: [{ a: 1, b: 2 }], says: /a equals b/ },
  ],
  'object.instance': [Joi.object().instance(Date), { takes: [], refuses: [{}, 'a'] }],

  array: [Joi.array(), { takes: [[], [1, 'a']], refuses: [{}, 'a'] }],
  'array.items': [Joi.array().items(Joi.number().strict()), { takes: [[1], []], refuses: [['a']] }],
  'array.items, several': [
    Joi.array().items(Joi.number().strict(), Joi.boolean().strict()),
    { takes: [[1, true]], refuses: [['a']] },
  ],
  'array.items required': [
    Joi.array().items(Joi.number().strict().required(), Joi.string()),
    { takes: [['a', 1]], refuses: [[], ['a']] },
  ],
  'array.items forbidden': [
    Joi.array().items(Joi.string().forbidden(), Joi.any()),
    { takes: [[1]], refuses: [['a']] },
  ],
  'array.ordered': [
    Joi.array().ordered(Joi.number().strict().required(), Joi.string()),
    { takes: [[1, 'a'], [1]], refuses: [[], ['a'], [1, 'a', 2]] },
  ],
  'array.ordered and items': [
    Joi.array().ordered(Joi.number().strict()).items(Joi.string()),
    { takes: [[1, 'a', 'b']], refuses: [[1, 2]] },
  ],
  'array.min and max': [Joi.array().min(1).max(2), { takes: [[1]], refuses: [[], [1, 2, 3]] }],
  'array.length': [Joi.array().length(2), { takes: [[1, 2]], refuses: [[1]] }],
  'array.unique': [
    Joi.array().unique(),
    {
      takes: [
        [1, 2],
        [1, '1'],
      ],
      refuses: [
        [1, 1],
        [{ a: 1 }, { a: 1 }],
      ],
    },
  ],
  'array.unique by a member': [
    Joi.array().unique('id'),
    { takes: [[{ id: 1 }, { id: 2 }]], left: [[{ id: 1 }, { id: 1, x: 2 }]], says: /same id/ },
  ],
  'array.has': [Joi.array().has(Joi.number().strict().min(5)), { takes: [[1, 5]], refuses: [[1], []] }],
  'array.single': [
    Joi.array().items(Joi.number().strict()).single(),
    { takes: [1, [1]], refuses: ['a', ['a']] },
  ],
  'array.sparse': [Joi.array().items(Joi.number().strict()).sparse(), { takes: [[1]], refuses: [['a']] }],
  'array.sort': [Joi.array().items(Joi.number().strict()).sort(), { takes: [[2, 1]], refuses: [['a']] }],

  'link to the root': [
    tree,
    {
      takes: [{ name: 'a', children: [{ name: 'b', children: [] }] }],
      refuses: [
        { name: 'a', children: [{}] },
        { name: 'a', children: [{ name: 'b', children: [1] }] },
      ],
    },
  ],
  'link to a shared schema': [
    Joi.object({ a: Joi.link('#s') }).shared(Joi.number().strict().id('s')),
    { takes: [{ a: 1 }], refuses: [{ a: 'x' }] },
  ],
  'link by path': [
    Joi.object({ a: Joi.number().strict(), b: Joi.link('/a') }),
    { takes: [{ b: 1 }], refuses: [{ b: 'x' }] },
  ],
  'link to what is around': [
    Joi.object({ a: Joi.object({ b: Joi.link('...'), n: Joi.number().strict() }) }),
    {
      takes: [{ a: { b: { a: { n: 1 } } } }],
      refuses: [{ a: { b: { a: { n: 'x' } } } }, { a: { b: { n: 1 } } }],
    },
  ],
};

describe('joiToSchema', () => {
  let exact = 0;
  for (const [name, [schema, { takes, refuses = [], left = [], says }]] of Object.entries(ROWS)) {
    it(name, () => {
      const { schema: converted, definitions } = joiToSchema(schema);
      const validate = createAjv().compile({ ...converted, $defs: definitions });
      const shown = JSON.stringify({ ...converted, $defs: definitions });
      for (const value of takes) {
        assert.equal(schema.validate(value).error, undefined, `Joi takes ${JSON.stringify(value)}`);
        assert.ok(validate(value), `${shown} should take ${JSON.stringify(value)}`);
      }
      for (const value of [...refuses, ...left]) {
        assert.ok(schema.validate(value).error, `Joi refuses ${JSON.stringify(value)}`);
        assert.equal(validate(value), left.includes(value), `${shown} and ${JSON.stringify(value)}`);
      }
      if (says !== undefined) assert.match(shown, says);
      if (left.length === 0) exact += 1;
    });
  }

  it('joiToSchema: most schemas are exact', () => {
    const rows = Object.keys(ROWS).length;
    console.log(`${exact} of ${rows} constructs are exact on their examples`);
    assert.ok(exact >= rows * 0.75, `${exact} of ${rows}`);
  });

  it('joiToSchema: copies annotations', () => {
    const said = Joi.string()
      .label('Name')
      .description('What it is called.')
      .note('Shown to all.')
      .unit('words')
      .example('Ann')
      .default('Bob')
      .meta({ deprecated: true, readOnly: true, 'x-own': 1, other: 2 });
    assert.deepEqual(joiToSchema(said).schema, {
      title: 'Name',
      description: 'What it is called. Shown to all. Unit: words.',
      examples: ['Ann'],
      default: 'Bob',
      deprecated: true,
      readOnly: true,
      'x-own': 1,
      type: 'string',
      minLength: 1,
    });
    assert.equal(joiToSchema(Joi.any().tag('deprecated')).schema['deprecated'], true);
    assert.equal(joiToSchema(Joi.any().default(() => 5)).schema['default'], undefined);
    assert.equal(
      joiToSchema(Joi.object({ a: Joi.number().default(1) }).default()).schema['default'],
      undefined,
    );
  });

  it('joiToSchema: parameters allow no text for numbers, and replies have the converted form', () => {
    const schema = Joi.object({
      n: Joi.number().integer(),
      b: Joi.boolean(),
      d: Joi.date(),
      s: Joi.string().default('x'),
    });
    const properties = (mode: 'text' | 'output'): unknown => joiToSchema(schema, mode).schema['properties'];
    assert.deepEqual(properties('text'), {
      n: { type: 'integer' },
      b: { type: 'boolean' },
      d: {
        type: 'string',
        minLength: 1,
        examples: ['2026-01-31T12:00:00Z'],
        description: 'A date: ISO 8601, or milliseconds since 1970.',
      },
      s: { type: 'string', minLength: 1, default: 'x' },
    });
    assert.deepEqual(properties('output'), {
      n: { type: 'integer' },
      b: { type: 'boolean' },
      d: { type: 'string', format: 'date-time' },
      s: { type: 'string', minLength: 1 },
    });
    assert.deepEqual(joiToSchema(Joi.number(), 'json', { convert: false }).schema, { type: 'number' });
  });
});
