/** Events of classic workers, which cannot announce any, from the router's configuration. */

import { identityOf, nodeIdOf } from '../../core/identity/identity.ts';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import { isEventList } from '../../wire/control.ts';

/**
 * Events of all classic workers, or by the node id of a worker; `*` stands for all other workers.
 */
export type ClassicEventsOption = readonly string[] | Readonly<Record<string, readonly string[]>>;

/** Key of all workers not listed. */
const OTHERS = '*';

export class ClassicEvents {
  private readonly bindings: ReadonlyMap<string, readonly string[]>;

  /** @throws {ZeroMQConfigError} when a list is invalid; the message names its worker. */
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
