/** The validators of the served document. Each schema is compiled when it is first needed. */
import type { Json } from '../../contract/json.ts';
import {
  type ApiSnapshot,
  type Direction,
  type ErrorObject,
  SchemaCompiler,
  type ValidateFunction,
  validateExactly,
} from '../../openapi/index.ts';
import type { RequestIssue } from '../common/problem.ts';
import { describeErrors } from './messages.ts';

/**
 * Validates a value and adds its issues to the list. Returns whether the value is valid.
 * @param location prefix of all pointers.
 * @param exact whether the value contains exact numbers.
 */
export type Validate = (value: unknown, location: string, issues: RequestIssue[], exact?: boolean) => boolean;

/** Maximum number of issues of one value: one more than a response lists. */
const MAX_ISSUES = 101;

/** The validators of one document. */
export class Validators {
  private compiler: SchemaCompiler | undefined;
  private readonly known = new Map<string, Validate>();

  constructor(private readonly snapshot: ApiSnapshot) {}

  /**
   * Returns the validator of a schema.
   * @param pointer JSON Pointer to the schema in the document.
   * @param direction whether it is a request or a response body; undefined for parameters.
   * @throws {ContractError} when the schema cannot be compiled.
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

/** @param compileExact compiles the validator for exact numbers, which most schemas never need. */
function toValidate(compiled: ValidateFunction, compileExact: () => ValidateFunction): Validate {
  let compiledExact: ValidateFunction | undefined;
  return (value, location, issues, exact = false) => {
    if (!exact) {
      if (compiled(value)) return true;
      addIssues(compiled.errors ?? [], value, location, issues);
      return false;
    }
    compiledExact ??= compileExact();
    if (validateExactly(compiledExact, value as Json)) return true;
    addIssues(compiledExact.errors ?? [], value, location, issues);
    return false;
  };
}

function addIssues(
  errors: readonly ErrorObject[],
  value: unknown,
  location: string,
  issues: RequestIssue[],
): void {
  const seen = new Set<string>();
  for (const { pointer, detail } of describeErrors(errors, value, location)) {
    const key = `${pointer} ${detail}`;
    if (seen.has(key)) continue;
    seen.add(key);
    issues.push({ pointer, detail });
    if (issues.length >= MAX_ISSUES) return;
  }
}
