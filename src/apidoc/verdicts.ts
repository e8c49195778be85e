/** What components said of the values of one validation, so that each is asked about each value once. */
import type { AnySchemaObject, ErrorObject } from 'ajv';

/** Most errors that one component reports of one value. Beyond these, copies of copies would be reported. */
const MOST_ERRORS = 100;

type Evaluated = { props?: unknown; items?: unknown };
/** A function that ajv compiled, as other compiled functions call it. */
export type Judge = {
  (data: unknown, context: { readonly instancePath: string }): boolean;
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

  /** Forgets all values. */
  clear(): void {
    if (this.used.length === 0) return;
    for (const verdicts of this.used) verdicts.clear();
    this.used.length = 0;
  }

  /** A judge that gives its verdict of one value once, and repeats it. */
  remembering(target: Compiled): Judge {
    const existing = this.judges.get(target);
    if (existing !== undefined) return existing;
    const known = new Map<unknown, Verdict>();
    const judge: Judge = (data, context) => {
      let verdict = known.get(data);
      if (verdict === undefined) {
        verdict = this.ask(target.validate as Judge, data, context);
        if (known.size === 0) this.used.push(known);
        known.set(data, verdict);
      }
      const { props, items, valid } = verdict;
      judge.errors = valid ? null : errorsAt(verdict, context.instancePath);
      judge.evaluated = { props: typeof props === 'object' ? { ...props } : props, items };
      return valid;
    };
    this.judges.set(target, judge);
    return judge;
  }

  private ask(validate: Judge, data: unknown, context: { readonly instancePath: string }): Verdict {
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
