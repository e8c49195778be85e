/** What the runtime of a worker needs to know about the streamed replies of a contract. */
import type { Contract } from './define.ts';
import type { EventDefinition } from './definition.ts';
import { validateData } from './standard-schema.ts';
import { isStreamed, type StreamedReply } from './stream-replies.ts';

/** Media type and check of the streams of one event. */
export interface StreamRule {
  /** Media type of a stream whose handler does not state one. */
  readonly contentType: string;
  /**
   * Checks an item, or the data of a server-sent event, before it is sent. Absent if the contract
   * has no schema for it.
   *
   * @returns what is wrong with it; undefined if it is valid.
   */
  readonly check?: (item: unknown) => string | undefined;
}

/** Maximum number of problems of one item that are reported. */
const MAX_PROBLEMS = 3;

/**
 * Returns the rules for the streams of a contract, by event. Undefined if no event has a streamed
 * reply, so that such a contract costs nothing.
 */
export function streamRulesOf(
  contract: Pick<Contract, 'events' | 'convert'>,
): ReadonlyMap<string, StreamRule> | undefined {
  const rules = new Map<string, StreamRule>();
  for (const [name, event] of Object.entries<EventDefinition>(contract.events)) {
    const reply = streamedReplyOf(event);
    if (reply !== undefined) rules.set(name, ruleOf(reply, contract.convert ?? true));
  }
  return rules.size === 0 ? undefined : rules;
}

/** The streamed reply of the lowest status that reports success. */
function streamedReplyOf({ replies = {} }: EventDefinition): StreamedReply | undefined {
  const found = Object.entries(replies).filter(([, reply]) => isStreamed(reply));
  const success = found.find(([status]) => status.startsWith('2')) ?? found[0];
  return success?.[1] as StreamedReply | undefined;
}

function ruleOf({ contentType, items }: StreamedReply, convert: boolean): StreamRule {
  // The handler decides among the types of a range.
  const type = contentType.includes('*') ? 'application/octet-stream' : contentType;
  if (items === undefined) return { contentType: type };
  return {
    contentType: type,
    check: (item) => {
      const { errors } = validateData(items, item, convert);
      if (errors === undefined) return undefined;
      const problems = errors.slice(0, MAX_PROBLEMS).map(({ pointer, message }) => {
        return pointer === '' ? message : `${pointer} ${message}`;
      });
      return problems.join(', ');
    },
  };
}
