/**
 * Cache of the results of components during one validation: each component validates each value
 * once.
 */
import type { AnySchemaObject, ErrorObject } from 'ajv';

/**
 * Maximum number of errors that one component reports for one value. Further errors would only
 * repeat nested copies.
 */
const MOST_ERRORS = 100;

type Evaluated = { props?: unknown; items?: unknown };
/** The place of a value, as ajv passes it. */
interface Place {
  readonly instancePath: string;
  readonly parentData?: object;
  readonly parentDataProperty?: string | number;
}

/** A function compiled by ajv, as other compiled functions call it. */
export type Judge = {
  (data: unknown, context: Place): boolean;
  errors?: ErrorObject[] | null;
  evaluated?: Evaluated;
};
/** A schema registered with ajv. It has a function once it is compiled. */
export interface Compiled {
  readonly schema: AnySchemaObject | boolean;
  readonly validate?: unknown;
}

interface Verdict {
  readonly errors: readonly ErrorObject[];
  readonly valid: boolean;
  readonly place: string;
  readonly props: unknown;
  readonly items: unknown;
}

/** Caches what components report about the values of one validation. */
export class Verdicts {
  /** Number of validations by components, for tests. */
  asked = 0;
  /** The caches of the components used in this validation. */
  private readonly used: Map<unknown, Verdict>[] = [];
  private readonly judges = new Map<Compiled, Judge>();
  /**
   * Cache keys of numbers, by container and position. Equal doubles can stand in for different
   * exact numbers; see `validateExactly`.
   */
  private readonly numbers = new Map<object, Map<string | number, object>>();

  /** Forgets all values. */
  clear(): void {
    if (this.used.length === 0) return;
    this.numbers.clear();
    for (const verdicts of this.used) verdicts.clear();
    this.used.length = 0;
  }

  /** Returns a function that validates each value once and then repeats the result. */
  remembering(target: Compiled): Judge {
    const existing = this.judges.get(target);
    if (existing !== undefined) return existing;
    const known = new Map<unknown, Verdict>();
    const judge: Judge = (data, context) => {
      const key = typeof data === 'number' ? this.keyOf(context) : data;
      let verdict = known.get(key);
      if (verdict === undefined) {
        verdict = this.ask(target.validate as Judge, data, context);
        if (known.size === 0) this.used.push(known);
        known.set(key, verdict);
      }
      const { props, items, valid } = verdict;
      judge.errors = valid ? null : errorsAt(verdict, context.instancePath);
      judge.evaluated = { props: typeof props === 'object' ? { ...props } : props, items };
      return valid;
    };
    this.judges.set(target, judge);
    return judge;
  }

  private keyOf({ parentData = this, parentDataProperty = '' }: Place): object {
    let within = this.numbers.get(parentData);
    if (within === undefined) this.numbers.set(parentData, (within = new Map<string | number, object>()));
    let key = within.get(parentDataProperty);
    if (key === undefined) within.set(parentDataProperty, (key = {}));
    return key;
  }

  private ask(validate: Judge, data: unknown, context: Place): Verdict {
    this.asked += 1;
    const valid = validate(data, context);
    const { props, items } = validate.evaluated ?? {};
    return {
      valid,
      errors: (validate.errors ?? []).slice(0, MOST_ERRORS),
      place: context.instancePath,
      props: typeof props === 'object' ? { ...props } : props,
      items,
    };
  }
}

/**
 * Returns a copy of the errors, because ajv modifies the list that it receives. The same value may
 * occur in several places, so the copy has the current place.
 */
function errorsAt({ errors, place }: Verdict, instancePath: string): ErrorObject[] {
  if (place === instancePath) return [...errors];
  return errors.map((error) => ({
    ...error,
    instancePath: instancePath + error.instancePath.slice(place.length),
  }));
}
