/** Joi schemas whose rules refer to other values, and recursive schemas. */

import Joi from 'joi';
import fc from '../helpers/property.ts';
import { always, number, type SchemaSample, type Step, scalar, steps, text, tryStep } from './joi-schemas.ts';

const small = fc.integer({ min: -1, max: 4 });
const place = fc.constantFrom('a', 'd.e', 'list.0');

/** A reference to another value, plain or adjusted. */
const reference: fc.Arbitrary<Joi.Reference> = fc.tuple(place, fc.nat(3)).map(([name, how]) => {
  if (how === 1) return Joi.ref(name, { adjust: (value: unknown) => Number(value) - 1 });
  if (how === 2) return Joi.ref(name, { map: [[1, 2]] });
  return how === 3 ? Joi.in(name) : Joi.ref(name);
});

const refer = <S>(use: (schema: S, ref: Joi.Reference) => S): fc.Arbitrary<Step<S>> =>
  reference.map((ref) => (schema: S) => use(schema, ref));

const commonRules = <S extends Joi.Schema>(): fc.Arbitrary<Step<S>>[] => [
  refer((s: S, ref) => s.valid(ref) as S),
  refer((s: S, ref) => s.allow(ref, 7) as S),
  refer((s: S, ref) => s.invalid(ref) as S),
  refer((s: S, ref) => s.default(ref) as S),
  refer((s: S, ref) => s.when(ref, { is: 1, then: Joi.required(), otherwise: Joi.valid('q', 7) }) as S),
  always<S>(
    (s) => s.when('a', { is: Joi.ref('d.e'), then: Joi.forbidden() }) as S,
    (s) => s.default((parent: object) => Object.keys(parent).length) as S,
    (s) => s.error(new Error('no')) as S,
    (s) => s.required() as S,
  ),
];

const rules: fc.Arbitrary<Joi.Schema> = fc.oneof(
  steps<Joi.NumberSchema>(
    refer((s, ref) => s.min(ref)),
    refer((s, ref) => s.max(ref)),
    refer((s, ref) => s.greater(ref)),
    refer((s, ref) => s.less(ref)),
    refer((s, ref) => s.multiple(ref)),
    ...commonRules<Joi.NumberSchema>(),
  ).map((step) => step(Joi.number())),
  steps<Joi.StringSchema>(
    refer((s, ref) => s.min(ref)),
    refer((s, ref) => s.max(ref)),
    refer((s, ref) => s.length(ref)),
    always<Joi.StringSchema>(
      (s) => s.insensitive(),
      (s) => s.trim(),
    ),
    ...commonRules<Joi.StringSchema>(),
  ).map((step) => step(Joi.string())),
  steps<Joi.ArraySchema>(
    refer((s, ref) => s.min(ref)),
    refer((s, ref) => s.length(ref)),
    always<Joi.ArraySchema>(
      (s) => s.items(Joi.number().min(Joi.ref('...a'))),
      (s) => s.has(Joi.valid(Joi.ref('a'))),
      (s) => s.unique((a: unknown, b: unknown) => a === b),
    ),
    ...commonRules<Joi.ArraySchema>(),
  ).map((step) => step(Joi.array())),
  steps<Joi.DateSchema>(
    refer((s, ref) => s.min(ref)),
    ...commonRules<Joi.DateSchema>(),
  ).map((step) => step(Joi.date())),
);

/** Objects in which rules of one key refer to another key. */
export const withReferences: fc.Arbitrary<SchemaSample> = fc
  .tuple(
    rules,
    fc.constantFrom<Step<Joi.ObjectSchema>>(
      (s) => s,
      (s) => s.unknown(),
      (s) => s.rename('c', 'a'),
      (s) => s.assert('.a', Joi.ref('d.e')),
      (s) => s.min(Joi.ref('a')),
    ),
    fc.array(fc.tuple(scalar, scalar, fc.oneof(scalar, fc.array(number, { maxLength: 3 }))), {
      maxLength: 20,
    }),
    fc.array(small, { maxLength: 10 }),
  )
  .map(([rule, step, triples, numbers]) => {
    const base = Joi.object({
      a: Joi.any(),
      b: rule,
      d: Joi.object({ e: Joi.any() }),
      list: Joi.array().items(Joi.any()),
    });
    const similar = numbers.flatMap((n) => [
      { a: n, b: n },
      { a: n, b: n + 1, d: { e: n } },
      { a: String(n), b: 'x'.repeat(Math.max(0, n)), list: [n, 2] },
      { a: [n, 'q'], b: Array<number>(Math.max(0, n)).fill(n), d: { e: 1 } },
    ]);
    const any = triples.map(([a, e, b]) => ({ a, b, d: { e }, list: [a, e] }));
    return { schema: tryStep(base, step), candidates: [{}, { b: 7 }, { b: 'q' }, ...similar, ...any] };
  });

const tree = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ name: text }),
    fc.record({ name: text, size: small, next: tie('tree') }, { requiredKeys: ['name'] }),
    fc.record({ name: text, children: fc.array(tie('tree'), { maxLength: 3 }) }),
    scalar,
  ),
})).tree;

const links: readonly ((node: Joi.ObjectSchema) => Joi.ObjectSchema)[] = [
  (node) => node.keys({ next: Joi.link('#node') }).id('node'),
  (node) => node.keys({ next: Joi.link('...'), children: Joi.array().items(Joi.link('...')) }),
  (node) => node.keys({ children: Joi.array().items(Joi.link('/')), next: Joi.link('/').allow(null) }),
  (node) => node.keys({ next: Joi.link('#shared'), children: Joi.array() }).shared(node.id('shared')),
  (node) => node.keys({ next: Joi.alternatives(Joi.link('#node'), Joi.string()) }).id('node'),
  (node) => node.keys({ next: Joi.object({ next: Joi.link('#node.next') }).unknown() }).id('node'),
  (node) => node.keys({ next: Joi.link('#node').concat(Joi.object({ size: Joi.required() })) }).id('node'),
  (node) => node.keys({ children: Joi.array().ordered(Joi.link('#node')).unique('name') }).id('node'),
];

/** Objects that contain objects of the same schema. */
export const recursive: fc.Arbitrary<SchemaSample> = fc
  .tuple(
    fc.constantFrom(...links),
    steps<Joi.ObjectSchema>(
      always<Joi.ObjectSchema>(
        (s) => s.unknown(),
        (s) => s.or('next', 'children'),
        (s) => s.without('next', 'children'),
        (s) => s.min(2),
        (s) => s.rename('size', 'weight', { ignoreUndefined: true }),
      ),
    ),
    fc.array(tree, { maxLength: 20 }),
  )
  .map(([link, step, candidates]) => {
    const node = Joi.object({ name: Joi.string().allow(''), size: Joi.number().min(0) });
    return { schema: tryStep(step(node), link), candidates };
  });
