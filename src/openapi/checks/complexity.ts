/**
 * How much there is to compile before an operation can be served. A few kilobytes of schemas that refer to one
 * another may keep a validator's compiler busy for many seconds, so what a worker brings is bounded.
 */
import { ContractError } from '../../contract/errors.ts';
import { type Json, type JsonObject, member } from '../../contract/json.ts';
import { type Kind, kindOf, transform } from '../../contract/shapes.ts';
import type { Steps } from '../../core/time/steps.ts';
import type { IngestedOperation } from '../model/ingested.ts';

/** Schema objects of one place, and the components that it refers to. */
interface Measure {
  readonly schemas: number;
  readonly refs: readonly string[];
}

/**
 * @param most schema objects that one operation may reach.
 * @throws ContractError naming the first operation that reaches more.
 */
export function* checkComplexity(
  paths: JsonObject,
  operations: readonly IngestedOperation[],
  components: Readonly<Record<string, JsonObject>>,
  most: number,
): Steps<void> {
  const measured = new Map<string, Measure>();
  const component = (ref: string): Measure => {
    let found = measured.get(ref);
    if (found === undefined) {
      const [section = '', name = ''] = ref.split('/').slice(-2);
      found = measure(kindOf(section), member(components[section] ?? {}, name) ?? {});
      measured.set(ref, found);
    }
    return found;
  };
  const reached = new Map<string, number>();
  for (const { path, method, eventName } of operations) {
    yield;
    const { schemas, refs } = measure('operation', (paths[path] as JsonObject)[method] ?? {});
    const key = [...refs].sort().join(' ');
    const beyond = reached.get(key) ?? reach(refs, component, most);
    reached.set(key, beyond);
    if (schemas + beyond <= most) continue;
    throw new ContractError(`has more than ${most} schemas, with those that they refer to`, {
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

/** Schema objects of all components that the references lead to; stops counting soon after `most`. */
function reach(refs: readonly string[], component: (ref: string) => Measure, most: number): number {
  const seen = new Set(refs);
  let schemas = 0;
  for (const ref of seen) {
    const found = component(ref);
    schemas += found.schemas;
    if (schemas > most) break;
    // A set that grows is walked to its new end.
    for (const next of found.refs) seen.add(next);
  }
  return schemas;
}
