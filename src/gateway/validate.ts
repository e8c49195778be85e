/** Validation against the document that is served, each schema compiled when it is first needed. */
import {
  type ApiSnapshot,
  type ErrorObject,
  SchemaCompiler,
  type ValidateFunction,
  validateExactly,
} from '../apidoc/index.ts';
import type { Json } from '../contract/json.ts';
import { findingsOf } from './faults.ts';
import type { Fault } from './problem.ts';

/**
 * Notes what is wrong with a value. `place` is put before each pointer. Returns whether all is well.
 * A value that holds exact numbers is validated with `exact`.
 */
export type Validate = (value: unknown, place: string, faults: Fault[], exact?: boolean) => boolean;

/** More faults than a reply lists are not even noted. */
const MAX_NOTED = 101;

/** The validators of one document. */
export class Validators {
  private compiler: SchemaCompiler | undefined;
  private readonly known = new Map<string, Validate>();

  constructor(private readonly snapshot: ApiSnapshot) {}

  /**
   * The validator of a schema.
   * @param pointer JSON pointer of the schema within the document.
   * @throws ContractError when it cannot be compiled.
   */
  at(pointer: string): Validate {
    let validate = this.known.get(pointer);
    if (validate === undefined) {
      const compiler = (this.compiler ??= new SchemaCompiler(this.snapshot));
      validate = noting(compiler.compile(pointer), () => compiler.compile(pointer, 'exact'));
      this.known.set(pointer, validate);
    }
    return validate;
  }
}

/** @param compileExact compiles the validator for exact numbers: most schemas never need it. */
function noting(compiled: ValidateFunction, compileExact: () => ValidateFunction): Validate {
  let compiledExact: ValidateFunction | undefined;
  return (value, place, faults, exact = false) => {
    if (!exact) {
      if (compiled(value)) return true;
      noteErrors(compiled.errors ?? [], value, place, faults);
      return false;
    }
    compiledExact ??= compileExact();
    if (validateExactly(compiledExact, value as Json)) return true;
    noteErrors(compiledExact.errors ?? [], value, place, faults);
    return false;
  };
}

function noteErrors(errors: readonly ErrorObject[], value: unknown, place: string, faults: Fault[]): void {
  const seen = new Set<string>();
  for (const { pointer, detail } of findingsOf(errors, value, place)) {
    const key = `${pointer} ${detail}`;
    if (seen.has(key)) continue;
    seen.add(key);
    faults.push({ pointer, detail });
    if (faults.length >= MAX_NOTED) return;
  }
}
