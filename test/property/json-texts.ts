/** JSON texts with numbers of every size, precision and spelling (RFC 8259, section 6). */
import fc from '../helpers/property.ts';

const digits = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength });

const whole = fc.oneof(
  fc.constantFrom('0', '9007199254740991', '9007199254740992', '9007199254740993', '9223372036854775807'),
  digits(25).map((text) => text.replace(/^0+(?=\d)/, '')),
);

/** A JSON number. */
export const jsonNumber: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('', '-'),
    whole,
    fc.option(digits(20), { nil: undefined, freq: 2 }),
    fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-'), digits(3)), { nil: undefined, freq: 2 }),
  )
  .map(
    ([sign, integer, fraction, exponent]) =>
      sign + integer + (fraction === undefined ? '' : `.${fraction}`) + (exponent?.join('') ?? ''),
  );

/** A JSON text without white space and without duplicate names in an object. */
export const jsonText: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    jsonNumber,
    fc.constantFrom('true', 'false', 'null'),
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
    fc
      .uniqueArray(fc.tuple(fc.string(), tie('value')), { maxLength: 4, selector: ([name]) => name })
      // JSON.parse and Object.keys put names that are array indices first.
      .map((members) => members.filter(([name]) => !/^\d+$/.test(name)))
      .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`),
  ),
})).value;
