/** Which events classic workers serve, who cannot say it themselves: what the router's configuration binds them to. */

import { identityOf, nodeIdOf } from '../../core/identity/identity.ts';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import { isEventList } from '../../wire/control.ts';

/** Events of all classic workers, or by the node id of a worker; `*` stands for every other one. */
export type ClassicEventsOption = readonly string[] | Readonly<Record<string, readonly string[]>>;

/** The key of workers that are not named. */
const OTHERS = '*';

export class ClassicEvents {
  private readonly bindings: ReadonlyMap<string, readonly string[]>;

  /** @throws ZeroMQConfigError naming the worker whose list is not acceptable. */
  constructor(option: ClassicEventsOption = {}) {
    this.bindings = new Map(Object.entries(isList(option) ? { [OTHERS]: option } : option));
    for (const [node, events] of this.bindings) {
      if (isEventList(events)) continue;
      const place = `classicEvents[${JSON.stringify(node)}]`;
      throw new ZeroMQConfigError(`${place} must be a list of event names, none of which starts with $`);
    }
  }

  /**
   * The events of a worker; undefined: every event that no worker ever announced.
   *
   * @param address its routing id, in Latin-1: `<node id>_<session id>`.
   */
  of(address: string): readonly string[] | undefined {
    if (this.bindings.size === 0) return undefined;
    return this.bindings.get(nodeIdOf(identityOf(address))) ?? this.bindings.get(OTHERS);
  }
}

function isList(option: ClassicEventsOption): option is readonly string[] {
  return Array.isArray(option);
}
