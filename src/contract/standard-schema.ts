/**
 * Schemas of event data and replies: Joi, and any library that implements Standard Schema and
 * generates JSON Schema (zod, ArkType and others). This package depends on Joi only.
 */
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import Joi from 'joi';
import { ContractError } from './errors.ts';
import { type ConvertedSchema, joiToSchema, type Mode } from './joi-to-openapi/index.ts';
import { isObject, type JsonObject, member, pointerOf } from './json.ts';

/** A Joi schema, or a schema of any library with Standard Schema and JSON Schema output. */
export type ContractSchema = Joi.Schema | StandardSchemaV1;

/**
 * Type of the data that handlers receive: the output type of the schema, if its library provides
 * it.
 */
export type OutputOf<Schema> = Schema extends StandardSchemaV1<infer _Input, infer Output> ? Output : never;

/**
 * Type before conversion, which handlers return and callers send: the input type of the schema. Joi
 * has no input types; its schemas count with their output type.
 */
export type InputOf<Schema> =
  Schema extends StandardSchemaV1<infer Input, infer Output>
    ? IsAny<Input> extends true
      ? Output
      : Input
    : never;

type IsAny<Type> = 0 extends 1 & Type ? true : false;

/** A problem of event data. */
export interface ValidationIssue {
  /** JSON Pointer into the event data; empty for the data itself. */
  readonly pointer: string;
  /** Description of the problem. */
  readonly message: string;
}

/** Result of a validation: the converted event data, or its problems. */
export type Validation =
  | { readonly value: unknown; readonly errors?: undefined }
  | { readonly errors: readonly ValidationIssue[]; readonly value?: undefined };

/** Maximum number of reported problems. */
const MAX_PROBLEMS = 100;

/** Where Joi keeps its version in each schema. */
const JOI = Symbol.for('@hapi/joi/schema');

/**
 * Whether a value is a schema.
 * @throws {ContractError} for a schema of another version of Joi, which Joi cannot use.
 */
export function isSchema(value: unknown): value is ContractSchema {
  const joi = (value as { [JOI]?: { version?: unknown } } | null | undefined)?.[JOI];
  if (joi !== undefined && joi.version !== Joi.version) {
    throw new ContractError(
      `the schema was created by joi ${String(joi.version)}, and this package uses joi ${Joi.version}; ` +
        'import Joi from zeromq-gateway, or install that version',
    );
  }
  if (Joi.isSchema(value)) return true;
  const standard: unknown = (value as { '~standard'?: unknown } | null | undefined)?.['~standard'];
  return isObject(standard) && typeof standard['validate'] === 'function';
}

/**
 * Validates data and converts it as the schema says.
 * @throws {ContractError} when the schema is asynchronous.
 */
export function validateData(schema: ContractSchema, data: unknown, convert: boolean): Validation {
  if (Joi.isSchema(schema)) {
    const { value, error }: JoiResult = validateWithJoi(schema, data, convert);
    if (error === undefined) return { value };
    const errors = error.details.slice(0, MAX_PROBLEMS);
    return {
      errors: errors.map(({ path, message }) => ({ pointer: pointerOf(...path), message: message.trim() })),
    };
  }
  const result = schema['~standard'].validate(data);
  if (result instanceof Promise) throw new ContractError('a schema of a contract must not be asynchronous');
  if (result.issues === undefined) return { value: result.value };
  return {
    errors: result.issues.slice(0, MAX_PROBLEMS).map(({ message, path }) => ({
      message,
      pointer: pointerOf(...(path ?? []).map((part) => String(typeof part === 'object' ? part.key : part))),
    })),
  };
}

interface JoiResult {
  readonly value: unknown;
  readonly error?: Joi.ValidationError | undefined;
}

/** Schemas with the preferences of `validateData`, by whether they convert. */
const PREPARED = [new WeakMap<Joi.Schema, Joi.Schema>(), new WeakMap<Joi.Schema, Joi.Schema>()] as const;

/**
 * Joi checks and merges the options of each `validate` call, which costs more than a small schema.
 * It keeps the preferences of a schema, so these are set once. A schema with preferences of its own
 * overrides the options, and so keeps them.
 */
function validateWithJoi(schema: Joi.Schema, data: unknown, convert: boolean): JoiResult {
  const known = PREPARED[convert ? 1 : 0];
  const prepared = known.get(schema);
  if (prepared !== undefined) return prepared.validate(data);
  const options: Joi.ValidationOptions = { abortEarly: false, convert, errors: { label: false } };
  if ((schema as { _preferences?: object | null })._preferences === null)
    known.set(schema, schema.prefs(options));
  return schema.validate(data, options);
}

/**
 * Generates the JSON Schema (2020-12) of a schema.
 * @throws {ContractError} when its library cannot generate one.
 */
export function jsonSchemaOf(schema: ContractSchema, mode: Mode, convert: boolean): ConvertedSchema {
  if (Joi.isSchema(schema)) return joiToSchema(schema, mode, { convert });
  const written = written2020(schema, mode === 'output' ? 'output' : 'input');
  const { $defs, $schema: _dialect, ...rest } = structuredClone(written);
  const definitions: Record<string, JsonObject> = {};
  for (const [name, definition] of Object.entries(isObject($defs) ? $defs : {})) {
    if (isObject(definition)) definitions[name] = definition;
  }
  return { schema: rest, definitions };
}

interface WriterOptions {
  readonly target: 'draft-2020-12';
}

type Writer = (options: WriterOptions & { io: 'input' | 'output' }) => unknown;

/**
 * A bigint is an integer in JSON. Zod has no JSON Schema for bigint and lets callers provide one.
 */
const zodOptions = {
  unrepresentable: ({ zodSchema }: { zodSchema?: { _zod?: { def?: { type?: unknown } } } }): unknown =>
    zodSchema?._zod?.def?.type === 'bigint' ? { type: 'integer' } : 'throw',
};

function written2020(schema: StandardSchemaV1, io: 'input' | 'output'): JsonObject {
  const standard = schema['~standard'] as StandardSchemaV1.Props & Partial<StandardJSONSchemaV1.Props>;
  const own = schema as { toJSONSchema?: Writer; toJsonSchema?: Writer };
  const options = { target: 'draft-2020-12' } as const;
  const libraryOptions = standard.vendor === 'zod' ? zodOptions : undefined;
  try {
    const written: unknown =
      standard.jsonSchema?.[io]({ ...options, libraryOptions }) ??
      own.toJSONSchema?.({ ...options, io, ...libraryOptions }) ??
      own.toJsonSchema?.({ ...options, io });
    if (isObject(written)) return written;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ContractError(`${standard.vendor} cannot generate a JSON Schema: ${reason}`, {}, { cause });
  }
  throw new ContractError(`${standard.vendor} cannot generate a JSON Schema from this schema`);
}

/** Whether a Joi schema has rules that run only asynchronously. */
export function isAsync(schema: ContractSchema): boolean {
  const check: unknown = (schema as { isAsync?: unknown }).isAsync;
  return Joi.isSchema(schema) && typeof check === 'function' && check.call(schema) === true;
}

/** The type of a Joi schema; undefined for other schemas. */
export function joiType(schema: ContractSchema): string | undefined {
  const type = Joi.isSchema(schema) ? member(schema as unknown as JsonObject, 'type') : undefined;
  return typeof type === 'string' ? type : undefined;
}
