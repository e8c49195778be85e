/** Validation against the document that is served, each schema compiled when it is first needed. */

import type { Json } from '../../contract/json.ts';
import {
  type ApiSnapshot,
  type Direction,
  type ErrorObject,
  SchemaCompiler,
  type ValidateFunction,
  validateExactly,
} from '../../openapi/index.ts';
import type { Fault } from '../common/problem.ts';
import { describeErrors } from './messages.ts';

/**
 * Notes what is wrong with a value. `place` is put before each pointer. Returns whether all is well.
 * A value that holds exact numbers is validated with `exact`.
 */
export type Validate = (value: unknown, place: string, faults: Fault[], exact?: boolean) => boolean;

/** More faults than a reply lists are not even noted. */
const MAX_FAULTS = 101;

/** The validators of one document. */
export class Validators {
  private compiler: SchemaCompiler | undefined;
  private readonly known = new Map<string, Validate>();

  constructor(private readonly snapshot: ApiSnapshot) {}

  /**
   * The validator of a schema.
   * @param pointer JSON pointer of the schema within the document.
   * @param direction which way a body goes; undefined for parameters.
   * @throws ContractError when it cannot be compiled.
   */
  at(pointer: string, direction?: Direction): Validate {
    const key = `${direction ?? 'any'} ${pointer}`;
    let validate = this.known.get(key);
    if (validate === undefined) {
      const compiler = (this.compiler ??= new SchemaCompiler(this.snapshot));
      const exact = (): ValidateFunction => compiler.compile(pointer, { direction, precision: 'exact' });
      validate = toValidate(compiler.compile(pointer, { direction }), exact);
      this.known.set(key, validate);
    }
    return validate;
  }
}

/** @param compileExact compiles the validator for exact numbers: most schemas never need it. */
function toValidate(compiled: ValidateFunction, compileExact: () => ValidateFunction): Validate {
  let compiledExact: ValidateFunction | undefined;
  return (value, place, faults, exact = false) => {
    if (!exact) {
      if (compiled(value)) return true;
      addFaults(compiled.errors ?? [], value, place, faults);
      return false;
    }
    compiledExact ??= compileExact();
    if (validateExactly(compiledExact, value as Json)) return true;
    addFaults(compiledExact.errors ?? [], value, place, faults);
    return false;
  };
}

function addFaults(errors: readonly ErrorObject[], value: unknown, place: string, faults: Fault[]): void {
  const seen = new Set<string>();
  for (const { pointer, detail } of describeErrors(errors, value, place)) {
    const key = `${pointer} ${detail}`;
    if (seen.has(key)) continue;
    seen.add(key);
    faults.push({ pointer, detail });
    if (faults.length >= MAX_FAULTS) return;
  }
}
