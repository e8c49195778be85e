/** Types of setting values that are JSON. */
import type Joi from 'joi';
import { lazyPackage } from '../../core/identity/lazy-package.ts';
import { parseExact } from '../../core/json/exact-json.ts';
import { jsonText } from '../../core/json/json-value.ts';
import { attempt, type ValueType } from './value-types.ts';

const joi = lazyPackage<typeof Joi>('joi');

/**
 * JSON text, parsed. Numbers that a double would change are kept exactly. A configuration file may
 * contain the value itself.
 */
export const json: ValueType<unknown> = {
  placeholder: 'JSON',
  allowed: `JSON, such as '{"id":1}'`,
  schema: () =>
    joi()
      .any()
      .custom((value: unknown) => {
        if (typeof value === 'string') return parseExact(value, 'spelling');
        // YAML has values that JSON cannot represent; `jsonText` throws on them.
        jsonText(value);
        return value;
      }),
};

/** Value of {@link jsonOrInput} for `-`. */
export const FROM_INPUT: unique symbol = Symbol('standard input');

/** Does the same as {@link json}, and accepts `-` for standard input. */
export const jsonOrInput: ValueType<unknown> = {
  placeholder: 'JSON',
  allowed: `${json.allowed}, or -`,
  schema: () =>
    joi()
      .any()
      .custom((value: unknown) => (value === '-' ? FROM_INPUT : attempt(json.schema(), value))),
};
