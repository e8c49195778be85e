/**
 * normalise: brings each source to OpenAPI 3.1 with plain references to components (ingest.ts,
 * normalise.ts), and merges all sources into the served document (merge.ts).
 *
 * Suppresses problems that are only consequences of another problem, such as those of an operation
 * that refers to a broken component.
 */
import { ContractError, type ContractLocation } from '../../contract/errors.ts';
import { isObject, type Json, member } from '../../contract/json.ts';
import { type Kind, kindOf, transform } from '../../contract/shapes.ts';
import { componentAt, partsOfRef } from '../model/component-reference.ts';
import type { Problems } from '../model/problems.ts';
import type { Normalised } from './normalise.ts';

/** Decides whether the problem of an operation is a consequence of another one. */
export class ConsequenceFilter {
  constructor(
    private readonly normalised: Normalised,
    private readonly problems: Problems,
  ) {}

  /**
   * Runs a step that reads an operation. Returns undefined if it throws a ContractError, which is
   * collected unless it is a consequence of another problem.
   *
   * @param parts the operation and its path item.
   */
  attempt<T>(
    location: ContractLocation & { readonly pointer: string },
    parts: readonly [operation: Json, pathItem: Json],
    step: () => T,
  ): T | undefined {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      if (!this.isConsequence(location.pointer, parts)) this.problems.add(error.around(location));
      return undefined;
    }
  }

  private isConsequence(pointer: string, [operation, pathItem]: readonly [Json, Json]): boolean {
    const { problems } = this;
    if (problems.list.length === 0) return false;
    const ofPath = `${pointer.slice(0, pointer.lastIndexOf('/'))}/parameters`;
    if (problems.hasWithin(pointer) || problems.hasWithin(ofPath)) return true;
    const refs = new Set<string>();
    const reference = (_kind: Kind, ref: string): string => {
      refs.add(ref);
      return ref;
    };
    transform('operation', operation, '', { reference });
    const parameters = isObject(pathItem) ? member(pathItem, 'parameters') : undefined;
    transform('pathItem', parameters === undefined ? {} : { parameters }, '', { reference });
    // The iteration also visits references that are added here.
    for (const ref of refs) {
      const location = this.normalised.locations.get(ref);
      if (location === undefined || problems.hasWithin(location)) return true;
      const component = componentAt(this.normalised.components, ref);
      if (component !== undefined) transform(kindOf(partsOfRef(ref)[0]), component, '', { reference });
    }
    return false;
  }
}
