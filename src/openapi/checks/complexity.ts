/**
 * Limits how many schemas one operation may reach. A few kilobytes of schemas that refer to each
 * other can keep the compiler of validators busy for many seconds, so the limit applies to
 * contracts from workers.
 */
import { ContractError } from '../../contract/errors.ts';
import type { Json, JsonObject } from '../../contract/json.ts';
import { memberOfMethod } from '../../contract/other-methods.ts';
import { type Kind, kindOf, transform } from '../../contract/shapes.ts';
import type { Steps } from '../../core/time/steps.ts';
import { type Components, componentAt, partsOfRef } from '../model/component-reference.ts';
import type { IngestedOperation } from '../model/ingested.ts';

/** Number of schema objects in one part of the document, and the components that it refers to. */
interface Measure {
  readonly schemas: number;
  readonly refs: readonly string[];
}

/**
 * Checks that no operation reaches too many schemas.
 *
 * @param most maximum number of schema objects that one operation may reach.
 * @throws {ContractError} when an operation reaches more; it names the first such operation.
 */
export function* checkComplexity(
  paths: JsonObject,
  operations: readonly IngestedOperation[],
  components: Components,
  max: number,
): Steps<void> {
  const measured = new Map<string, Measure>();
  const component = (ref: string): Measure => {
    let found = measured.get(ref);
    if (found === undefined) {
      found = measure(kindOf(partsOfRef(ref)[0]), componentAt(components, ref) ?? {});
      measured.set(ref, found);
    }
    return found;
  };
  const reached = new Map<string, number>();
  for (const { path, method, eventName } of operations) {
    yield;
    const { schemas, refs } = measure('operation', (paths[path] as JsonObject)[memberOfMethod(method)] ?? {});
    const key = [...refs].sort().join(' ');
    const reachable = reached.get(key) ?? reach(refs, component, max);
    reached.set(key, reachable);
    if (schemas + reachable <= max) continue;
    throw new ContractError(`has more than ${max} schemas, including those behind references`, {
      path,
      method,
      event: eventName,
    });
  }
}

function measure(kind: Kind, value: Json): Measure {
  let schemas = 0;
  const refs = new Set<string>();
  transform(kind, value, '', {
    enter: (of, object) => {
      if (of === 'schema') schemas += 1;
      return object;
    },
    reference: (_of, ref) => {
      refs.add(ref);
      return ref;
    },
  });
  return { schemas, refs: [...refs] };
}

/**
 * Counts the schema objects of all components that the references reach. Stops soon after the count
 * exceeds `most`.
 */
function reach(refs: readonly string[], component: (ref: string) => Measure, max: number): number {
  const seen = new Set(refs);
  let schemas = 0;
  for (const ref of seen) {
    const found = component(ref);
    schemas += found.schemas;
    if (schemas > max) break;
    // The iteration also visits references that are added here.
    for (const next of found.refs) seen.add(next);
  }
  return schemas;
}
