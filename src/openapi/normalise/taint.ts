/**
 * Suppresses faults that are only consequences of another fault, such as those of an operation that
 * refers to a broken component.
 */
import { ContractError, type ContractPlace } from '../../contract/errors.ts';
import { isObject, type Json, member } from '../../contract/json.ts';
import { type Kind, kindOf, transform } from '../../contract/shapes.ts';
import type { Faults } from '../model/faults.ts';
import type { Normalised } from './normalise.ts';

/** Decides whether the fault of an operation is a consequence of another one. */
export class Taint {
  constructor(
    private readonly normalised: Normalised,
    private readonly faults: Faults,
  ) {}

  /**
   * Runs a step that reads an operation. Returns undefined if it throws a ContractError, which is
   * collected unless it is a consequence of another fault.
   *
   * @param parts the operation and its path item.
   */
  attempt<T>(
    place: ContractPlace & { readonly pointer: string },
    parts: readonly [operation: Json, pathItem: Json],
    step: () => T,
  ): T | undefined {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      if (!this.isTouched(place.pointer, parts)) this.faults.add(error.around(place));
      return undefined;
    }
  }

  private isTouched(pointer: string, [operation, pathItem]: readonly [Json, Json]): boolean {
    const { faults } = this;
    if (faults.list.length === 0) return false;
    const ofPath = `${pointer.slice(0, pointer.lastIndexOf('/'))}/parameters`;
    if (faults.touch(pointer) || faults.touch(ofPath)) return true;
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
      const place = this.normalised.places.get(ref);
      if (place === undefined || faults.touch(place)) return true;
      const [section = '', name = ''] = ref.split('/').slice(-2);
      const component = member(this.normalised.components[section] ?? {}, name);
      if (component !== undefined) transform(kindOf(section), component, '', { reference });
    }
    return false;
  }
}
