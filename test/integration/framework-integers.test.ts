// test:all: 20 s; gateway-numbers.test.ts represents it
/** Integers beyond 2^53: what handlers and callers receive, wherever the handler runs. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import Joi from 'joi';
import { z } from 'zod';
import {
  defineContract,
  type LargeIntegers,
  silentLogger,
  ZeroMQConfigError,
  ZeroMQServer,
  ZeroMQWorkerThreads,
} from '../../src/index.ts';
import { failOnLeftovers } from '../helpers/leftovers.ts';
import { PATIENCE } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import { type Scope, scopeOf } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { connectClient, startRouter, startServer, startWorker } from './framework.ts';

failOnLeftovers();

const BIG = 9007199254740993n;
const kind = ({ n }: { n: unknown }): string => `${typeof n} ${String(n)}`;
const handlers = { kind, back: ({ n }: { n: unknown }) => ({ n }) };
const EXPECTED = {
  number: 'number 9007199254740992',
  bigint: 'bigint 9007199254740993',
  string: 'string 9007199254740993',
} as const;

/** The built package. Its threads and processes start much faster than those from the sources. */
const DIST = new URL('../../dist/index.js', import.meta.url).href;
const MODULE = `import { defineWorker } from ${JSON.stringify(DIST)};
const kind = ({ n }) => typeof n + ' ' + n;
export default defineWorker({ handlers: { kind, back: ({ n }) => ({ n }) }, OPTIONS });`;

async function startThreads(scope: Scope, isolation: 'thread' | 'process', largeIntegers: LargeIntegers) {
  const { frontend, backend } = await startRouter(scope, 'tcp', { limits: { workerGrace: 20_000 } });
  const module = join(tempFolder(scope), 'integers.mjs');
  writeFileSync(
    module,
    MODULE.replace('OPTIONS', `isolation: '${isolation}', largeIntegers: '${largeIntegers}'`),
  );
  const threads = new ZeroMQWorkerThreads({ module, threads: 1, connection: backend, logger: silentLogger });
  scope.after(() => threads.stop({ deadline: 100 }));
  await untilJoined(() => threads.start());
  return frontend;
}

/** Starts the handlers and returns the endpoint for requests. */
const PLACES: Record<string, (scope: Scope, largeIntegers: LargeIntegers) => Promise<string>> = {
  server: async (scope, largeIntegers) => (await startServer(scope, { handlers, largeIntegers })).endpoint,
  worker: async (scope, largeIntegers) => {
    const { frontend, backend } = await startRouter(scope);
    await startWorker(scope, { connection: backend, handlers, largeIntegers });
    return frontend;
  },
  'embedded worker': async (scope, largeIntegers) => {
    const { router, frontend } = await startRouter(scope);
    await startWorker(scope, { connection: router, handlers, largeIntegers });
    return frontend;
  },
  'worker thread': (scope, largeIntegers) => startThreads(scope, 'thread', largeIntegers),
  'worker process': (scope, largeIntegers) => startThreads(scope, 'process', largeIntegers),
};

describe('integers beyond 2^53', () => {
  for (const [place, start] of Object.entries(PLACES)) {
    for (const option of ['number', 'bigint', 'string'] as const) {
      it(`integers beyond 2^53: reach a handler of the ${place} as a ${option}`, async (t) => {
        const scope = scopeOf(t);
        const client = await connectClient(scope, await start(scope, option), { timeout: PATIENCE });
        assert.equal((await client.sendMessage('kind', { n: BIG })).eventData, EXPECTED[option]);
        assert.equal((await client.sendMessage('kind', { n: 5 })).eventData, 'number 5');
      });
    }
  }

  it('integers beyond 2^53: a bigint that a handler returns arrives in the form the client chose', async (t) => {
    const scope = scopeOf(t);
    const { endpoint } = await startServer(scope, { handlers, largeIntegers: 'bigint' });
    for (const [largeIntegers, n] of [
      [undefined, Number(BIG)],
      ['bigint', BIG],
      ['string', String(BIG)],
    ] as const) {
      const client = await connectClient(scope, endpoint, { largeIntegers });
      assert.deepEqual((await client.sendMessage('back', { n: BIG })).eventData, { n });
    }
  });

  it('integers beyond 2^53: are rejected in a message too deep or too long to read', async (t) => {
    const scope = scopeOf(t);
    const { endpoint } = await startServer(scope, { handlers, largeIntegers: 'bigint' });
    const client = await connectClient(scope, endpoint);
    await assert.rejects(client.sendMessage('kind', { n: BigInt('9'.repeat(4301)) }), {
      code: 'MALFORMED_MESSAGE',
      message: 'event data cannot be read: it has an integer of more than 4300 characters',
    });
    assert.equal((await client.sendMessage('kind', { n: BIG })).eventData, EXPECTED.bigint);
  });

  it('integers beyond 2^53: an unknown value of the option is rejected', () => {
    const largeIntegers = 'int' as LargeIntegers;
    assert.throws(() => new ZeroMQServer({ connection: 'inproc://integers', handlers, largeIntegers }), {
      constructor: ZeroMQConfigError,
      message: /^largeIntegers must be 'number', 'bigint', 'string', got int$/,
    });
  });
});

/** A Joi type for integers of any size, as shown in docs/framework/large-integers.md. */
const joi = Joi.extend((root: Joi.Root) => ({
  type: 'bigint',
  base: root.any(),
  messages: { 'bigint.base': 'must be an integer' },
  coerce: (value: unknown) => ({ value: Number.isSafeInteger(value) ? BigInt(value as number) : value }),
  validate: (value: unknown, { error }: Joi.CustomHelpers) =>
    typeof value === 'bigint' ? { value } : { value, errors: error('bigint.base') },
})) as Joi.Root & { bigint(): Joi.AnySchema };

const SCHEMAS = {
  'Joi.number()': Joi.object({ n: Joi.number().required() }),
  'Joi.number().unsafe()': Joi.object({ n: Joi.number().unsafe().required() }),
  'a Joi type bigint': joi.object({ n: joi.bigint().required() }),
  'texts or numbers of Joi': Joi.object({
    n: Joi.alternatives(Joi.string().pattern(/^-?\d+$/), Joi.number().integer().unsafe()).required(),
  }),
  'z.number()': z.object({ n: z.number() }),
  'z.coerce.bigint()': z.object({ n: z.coerce.bigint() }),
  'z.bigint()': z.object({ n: z.bigint() }),
};
const NOT_A_NUMBER = /must be a number/;

describe('contracts with integers beyond 2^53', () => {
  const validated: [
    schema: keyof typeof SCHEMAS,
    option: LargeIntegers,
    large: string | RegExp,
    small: string | RegExp,
  ][] = [
    ['Joi.number()', 'number', /must be a safe number/, 'number 5'],
    ['Joi.number()', 'bigint', NOT_A_NUMBER, 'number 5'],
    ['Joi.number()', 'string', /must be a safe number/, 'number 5'],
    ['Joi.number().unsafe()', 'number', EXPECTED.number, 'number 5'],
    ['a Joi type bigint', 'bigint', EXPECTED.bigint, 'bigint 5'],
    ['texts or numbers of Joi', 'string', EXPECTED.string, 'number 5'],
    ['z.number()', 'number', EXPECTED.number, 'number 5'],
    ['z.number()', 'bigint', /expected number/, 'number 5'],
    ['z.coerce.bigint()', 'bigint', EXPECTED.bigint, 'bigint 5'],
    ['z.coerce.bigint()', 'string', EXPECTED.bigint, 'bigint 5'],
    ['z.bigint()', 'bigint', EXPECTED.bigint, /expected bigint/],
  ];
  for (const [schema, largeIntegers, large, small] of validated) {
    it(`contract: validates what the handler gets: ${schema} with largeIntegers ${largeIntegers}`, async (t) => {
      const scope = scopeOf(t);
      const contract = defineContract({ name: 'integers', events: { kind: { data: SCHEMAS[schema] } } });
      const { endpoint } = await startServer(scope, { contract, handlers: { kind }, largeIntegers });
      const client = await connectClient(scope, endpoint);
      for (const [n, expected] of [
        [BIG, large],
        [5, small],
      ] as const) {
        const sent = client.sendMessage('kind', { n });
        if (typeof expected === 'string') assert.equal((await sent).eventData, expected);
        else
          await assert.rejects(sent, ({ code, details }: { code?: string; details?: unknown }) => {
            assert.equal(code, 'INVALID_REQUEST');
            assert.match(JSON.stringify(details), expected);
            return true;
          });
      }
    });
  }

  for (const schema of ['a Joi type bigint', 'z.coerce.bigint()', 'z.bigint()'] as const) {
    it(`contract: documents ${schema} as an integer`, () => {
      const contract = defineContract({
        name: 'integers',
        events: { 'n.put': { method: 'PUT', path: '/n/{n}', data: SCHEMAS[schema] } },
      });
      const [parameter] = contract.fragment().paths?.['/n/{n}']?.put?.parameters ?? [];
      assert.ok(parameter !== undefined && 'schema' in parameter);
      assert.deepEqual(parameter.schema, { type: 'integer' });
    });
  }

  it('contract: names the other zod types that cannot be documented', () => {
    const events = { 'd.put': { method: 'PUT', path: '/d', data: z.object({ d: z.date() }) } } as const;
    assert.throws(() => defineContract({ name: 'dates', events }), {
      message: /zod cannot generate a JSON Schema: Date cannot be represented/,
    });
  });
});
