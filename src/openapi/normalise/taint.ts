/**
 * What refers to something broken is broken itself, and a fault that only follows from another one is not worth a line.
 */
import { ContractError, type ContractPlace } from '../../contract/errors.ts';
import { isObject, type Json, member } from '../../contract/json.ts';
import { type Kind, kindOf, transform } from '../../contract/shapes.ts';
import type { Faults } from '../model/faults.ts';
import type { Normalised } from './normalise.ts';

export class Taint {
  constructor(
    private readonly normalised: Normalised,
    private readonly faults: Faults,
  ) {}

  /**
   * Runs a step that reads an operation; undefined when it throws a ContractError, which is kept unless it follows from
   * another fault.
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
    // A set that grows is walked to its new end.
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
