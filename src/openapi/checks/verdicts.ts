/** What components said of the values of one validation, so that each is asked about each value once. */
import type { AnySchemaObject, ErrorObject } from 'ajv';

/** Most errors that one component reports of one value. Beyond these, copies of copies would be reported. */
const MOST_ERRORS = 100;

type Evaluated = { props?: unknown; items?: unknown };
/** Where a value stands, as ajv says it. */
interface Place {
  readonly instancePath: string;
  readonly parentData?: object;
  readonly parentDataProperty?: string | number;
}

/** A function that ajv compiled, as other compiled functions call it. */
export type Judge = {
  (data: unknown, context: Place): boolean;
  errors?: ErrorObject[] | null;
  evaluated?: Evaluated;
};
/** A schema that ajv knows; its function is there once it is compiled. */
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

export class Verdicts {
  /** Times that a component was asked about a value; for tests. */
  asked = 0;
  /** Verdicts of components that were asked about a value. */
  private readonly used: Map<unknown, Verdict>[] = [];
  private readonly judges = new Map<Compiled, Judge>();
  /** What stands for each number: equal doubles may stand for numbers that differ (`validateExactly`). */
  private readonly numbers = new Map<object, Map<string | number, object>>();

  /** Forgets all values. */
  clear(): void {
    if (this.used.length === 0) return;
    this.numbers.clear();
    for (const verdicts of this.used) verdicts.clear();
    this.used.length = 0;
  }

  /** A judge that gives its verdict of one value once, and repeats it. */
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

/** A copy of the errors, since ajv changes the list that it is given. Equal texts may stand in several places. */
function errorsAt({ errors, place }: Verdict, instancePath: string): ErrorObject[] {
  if (place === instancePath) return [...errors];
  return errors.map((error) => ({
    ...error,
    instancePath: instancePath + error.instancePath.slice(place.length),
  }));
}
