/**
 * Cache of the results of components during one validation: each component validates each value
 * once.
 */
import type { AnySchemaObject, ErrorObject } from 'ajv';

/**
 * Maximum number of errors that one component reports for one value. Further errors would only
 * repeat nested copies.
 */
const MAX_ERRORS = 100;

type Evaluated = { props?: unknown; items?: unknown };
/** The location of a value, as ajv passes it. */
interface ValueLocation {
  readonly instancePath: string;
  readonly parentData?: object;
  readonly parentDataProperty?: string | number;
}

/** A function compiled by ajv, as other compiled functions call it. */
export type CompiledValidator = {
  (data: unknown, context: ValueLocation): boolean;
  errors?: ErrorObject[] | null;
  evaluated?: Evaluated;
};
/** A schema registered with ajv. It has a function once it is compiled. */
export interface Compiled {
  readonly schema: AnySchemaObject | boolean;
  readonly validate?: unknown;
}

interface CachedResult {
  readonly errors: readonly ErrorObject[];
  readonly valid: boolean;
  readonly location: string;
  readonly props: unknown;
  readonly items: unknown;
}

/** Caches what components report about the values of one validation. */
export class ResultCache {
  /** Number of validations by components, for tests. */
  evaluations = 0;
  /** The caches of the components used in this validation. */
  private readonly used: Map<unknown, CachedResult>[] = [];
  private readonly validators = new Map<Compiled, CompiledValidator>();
  /**
   * Cache keys of numbers, by container and position. Equal doubles can stand in for different
   * exact numbers; see `validateExactly`.
   */
  private readonly numbers = new Map<object, Map<string | number, object>>();

  /** Removes all results. */
  clear(): void {
    if (this.used.length === 0) return;
    this.numbers.clear();
    for (const results of this.used) results.clear();
    this.used.length = 0;
  }

  /** Returns a function that validates each value once and then repeats the result. */
  caching(target: Compiled): CompiledValidator {
    const existing = this.validators.get(target);
    if (existing !== undefined) return existing;
    const known = new Map<unknown, CachedResult>();
    const validator: CompiledValidator = (data, context) => {
      const key = typeof data === 'number' ? this.keyOf(context) : data;
      let result = known.get(key);
      if (result === undefined) {
        result = this.evaluate(target.validate as CompiledValidator, data, context);
        if (known.size === 0) this.used.push(known);
        known.set(key, result);
      }
      const { props, items, valid } = result;
      validator.errors = valid ? null : errorsAt(result, context.instancePath);
      validator.evaluated = { props: typeof props === 'object' ? { ...props } : props, items };
      return valid;
    };
    this.validators.set(target, validator);
    return validator;
  }

  private keyOf({ parentData = this, parentDataProperty = '' }: ValueLocation): object {
    let within = this.numbers.get(parentData);
    if (within === undefined) this.numbers.set(parentData, (within = new Map<string | number, object>()));
    let key = within.get(parentDataProperty);
    if (key === undefined) within.set(parentDataProperty, (key = {}));
    return key;
  }

  private evaluate(validate: CompiledValidator, data: unknown, context: ValueLocation): CachedResult {
    this.evaluations += 1;
    const valid = validate(data, context);
    const { props, items } = validate.evaluated ?? {};
    return {
      valid,
      errors: (validate.errors ?? []).slice(0, MAX_ERRORS),
      location: context.instancePath,
      props: typeof props === 'object' ? { ...props } : props,
      items,
    };
  }
}

/**
 * Returns a copy of the errors, because ajv modifies the list that it receives. The same value may
 * occur in several locations, so the copy has the current one.
 */
function errorsAt({ errors, location }: CachedResult, instancePath: string): ErrorObject[] {
  if (location === instancePath) return [...errors];
  return errors.map((error) => ({
    ...error,
    instancePath: instancePath + error.instancePath.slice(location.length),
  }));
}
