/**
 * Compares an operation in two revisions of the document, including everything that it references.
 */
import type { OpenAPIV3_1 } from 'openapi-types';
import { isObject, type Json, member } from '../../contract/json.ts';
import { ExactNumber } from '../../core/json/exact-json.ts';
import type { Operation } from '../../openapi/model/operation.ts';
import { resolveReference } from '../validation/shape.ts';

/** An operation and its document, in which references are resolved. */
export interface OperationInDocument {
  readonly operation: Operation;
  readonly document: OpenAPIV3_1.Document;
}

/**
 * Whether a binder that is compiled for one operation is valid for the other. Ignores availability.
 */
export function isSameBinding(first: OperationInDocument, second: OperationInDocument): boolean {
  const comparison = new Comparison(first.document as unknown as Json, second.document as unknown as Json);
  const parts = ({ operation }: OperationInDocument): Json =>
    ({ ...operation, available: true }) as unknown as Json;
  return comparison.equal(parts(first), parts(second));
}

/** Compares values of two documents. Follows each reference once. */
class Comparison {
  private readonly followed = new Set<string>();

  constructor(
    private readonly firstRoot: Json,
    private readonly secondRoot: Json,
  ) {}

  equal(first: Json | undefined, second: Json | undefined): boolean {
    if (first === second && (typeof first !== 'object' || first === null)) return true;
    if (first instanceof ExactNumber) return second instanceof ExactNumber && first.text === second.text;
    if (Array.isArray(first)) {
      if (!Array.isArray(second) || first.length !== second.length) return false;
      return first.every((item, index) => this.equal(item, second[index]));
    }
    if (!isObject(first) || !isObject(second)) return false;
    const names = Object.keys(first);
    if (names.length !== Object.keys(second).length) return false;
    return (
      names.every((name) => this.equal(first[name], member(second, name))) && this.sameTarget(first['$ref'])
    );
  }

  private sameTarget(ref: Json | undefined): boolean {
    if (typeof ref !== 'string' || this.followed.has(ref)) return true;
    this.followed.add(ref);
    return this.equal(resolveReference(ref, this.firstRoot), resolveReference(ref, this.secondRoot));
  }
}
