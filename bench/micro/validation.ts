/**
 * Validation of a body with ten fields: with ajv as compiled by the gateway, and with Joi as run by
 * a worker.
 */
import Joi from 'joi';
import type { OpenAPIV3_1 } from 'openapi-types';
import type * as ValidatorsModule from '../../src/openapi/checks/validators.ts';
import { built } from '../drivers/built.ts';
import type { MicroSuite } from './task.ts';

const BODY = {
  title: 'Buy milk',
  description: 'Two litres',
  priority: 3,
  done: false,
  owner: 'eva@example.org',
  tags: ['home', 'food'],
  due: '2030-01-01T12:00:00Z',
  estimate: 0.5,
  state: 'open',
  parent: 17,
};

const JSON_SCHEMA: OpenAPIV3_1.SchemaObject = {
  type: 'object',
  required: ['title'],
  additionalProperties: false,
  properties: {
    title: { type: 'string', minLength: 1, maxLength: 200 },
    description: { type: 'string', maxLength: 2000 },
    priority: { type: 'integer', minimum: 1, maximum: 5 },
    done: { type: 'boolean' },
    owner: { type: 'string', format: 'email' },
    tags: { type: 'array', maxItems: 20, items: { type: 'string', maxLength: 30 } },
    due: { type: 'string', format: 'date-time' },
    estimate: { type: 'number', minimum: 0 },
    state: { enum: ['open', 'doing', 'closed'] },
    parent: { type: 'integer', minimum: 1 },
  },
};

const JOI_SCHEMA = Joi.object({
  title: Joi.string().min(1).max(200).required(),
  description: Joi.string().max(2000),
  priority: Joi.number().integer().min(1).max(5),
  done: Joi.boolean(),
  owner: Joi.string().email(),
  tags: Joi.array().max(20).items(Joi.string().max(30)),
  due: Joi.string().isoDate(),
  estimate: Joi.number().min(0),
  state: Joi.valid('open', 'doing', 'closed'),
  parent: Joi.number().integer().min(1),
});

/** Validates the same body with both. */
export async function validationSuite(): Promise<MicroSuite> {
  const { SchemaCompiler } = await built<typeof ValidatorsModule>('openapi/checks/validators');
  const document: OpenAPIV3_1.Document = {
    openapi: '3.1.0',
    info: { title: 'Benchmark', version: '1.0.0' },
    paths: {},
    components: { schemas: { Task: JSON_SCHEMA } },
  };
  const validate = new SchemaCompiler({ document }).compile('/components/schemas/Task');
  return {
    title: 'Validation of a body with ten fields',
    tasks: [
      {
        name: 'ajv, compiled from the document',
        units: 1,
        run() {
          if (!validate(BODY)) throw new Error('ajv refused the body');
        },
      },
      {
        name: 'Joi',
        units: 1,
        run() {
          if (JOI_SCHEMA.validate(BODY).error !== undefined) throw new Error('Joi refused the body');
        },
      },
    ],
  };
}
