/** Typed calls of the events of a contract, through a client or from a handler. */
import type {
  Contract,
  EventDefinition,
  EventDefinitions,
  EventInput,
  EventItem,
  EventReply,
  Serialized,
} from '../contract/index.ts';
import { IDEMPOTENT_METHODS } from '../contract/methods.ts';
import { ZeroMQConfigError } from '../core/messages/errors.ts';
import type { Requester } from '../core/messages/message.ts';
import type { ClientSendOptions, SendOptions } from '../core/messages/send-options.ts';
import type { EventSender, ZeroMQReply } from '../wire/incoming.ts';
import { DEFAULT_TIMEOUT, send } from './send.ts';

/** Types of one event: the data that callers send, and that of its successful replies. */
export interface CallType {
  /** Event data of the request. */
  data: unknown;
  /** Event data of a successful reply; unknown if it is a stream. */
  reply: unknown;
  /** An item of a reply that is a stream; never if it is not one. */
  item?: unknown;
}

/** Types of events by name, from a contract or from `zeromq-gateway types`. */
export type CallTypes<Calls> = { [Name in keyof Calls]: CallType };

/**
 * Types of the events of a contract, for callers.
 *
 * @typeParam Events events of the contract.
 */
export type CallsOf<Events extends EventDefinitions> = {
  [Name in keyof Events]: {
    data: EventInput<NonNullable<Events[Name]>>;
    reply: ReplyOf<NonNullable<Events[Name]>>;
    item: Serialized<EventItem<NonNullable<Events[Name]>>>;
  };
};

type ReplyOf<Event extends EventDefinition> = [EventItem<Event>] extends [never]
  ? Serialized<EventReply<Event>>
  : unknown;

/** Arguments of a call. An event whose data may be undefined is called without it. */
export type CallArguments<Data> = undefined extends Data
  ? [eventData?: Data, options?: ClientSendOptions]
  : [eventData: Data, options?: ClientSendOptions];

/**
 * Calls events with the types of their contract; created by {@link createCaller}.
 *
 * @typeParam Calls types of the events by name.
 */
export interface EventCaller<Calls extends CallTypes<Calls>> {
  /**
   * Sends an event and resolves with the data of the reply. Throws as
   * {@link ZeroMQClient.sendMessage} does.
   *
   * @param eventName event of the contract.
   * @param args event data, and options of the request. The contract's `timeout` and `idempotent`
   *   are the defaults of the options.
   */
  call<Name extends keyof Calls & string>(
    eventName: Name,
    ...args: CallArguments<Calls[Name]['data']>
  ): Promise<Calls[Name]['reply']>;

  /** Like `call`, but resolves with the whole reply: data, status and headers. */
  sendMessage<Name extends keyof Calls & string>(
    eventName: Name,
    ...args: CallArguments<Calls[Name]['data']>
  ): Promise<ZeroMQReply<Calls[Name]['reply']>>;
}

/** Sends the requests of an {@link EventCaller}. */
export type CallSender = EventSender | Requester;

/**
 * Creates a caller with the types of a contract. The contract's `timeout` and `idempotent` apply to
 * its events.
 *
 * @param client client that sends the requests; the context of a handler, whose calls they are; or
 *   another requester, such as a router in the same process.
 * @param contract contract of the events.
 * @returns the caller.
 * @throws {ZeroMQConfigError} on a call of an event that the contract does not have.
 * @example
 * ```ts
 * const tasks = createCaller(client, contract);
 * const { title } = await tasks.call('tasks.get', { id: 7 });
 * ```
 */
export function createCaller<const Events extends EventDefinitions>(
  client: CallSender,
  contract: Contract<Events>,
): EventCaller<CallsOf<Events>>;
/**
 * Creates a caller with types that `zeromq-gateway types` wrote, for callers without the source of
 * the contract.
 *
 * @typeParam Calls types of the events by name.
 * @param client client that sends the requests; the context of a handler; or another requester.
 * @returns the caller.
 * @example
 * ```ts
 * import type { Events } from './events.d.ts';
 *
 * const { title } = await createCaller<Events>(client).call('tasks.get', { id: 7 });
 * ```
 */
export function createCaller<Calls extends CallTypes<Calls>>(client: CallSender): EventCaller<Calls>;
export function createCaller(client: CallSender, contract?: Contract): EventCaller<Record<string, CallType>> {
  const defaults = contract && new Map(Object.entries(contract.events).map(([n, e]) => [n, defaultsOf(e)]));
  const through = senderOf(client);
  const sendMessage = async (
    name: string,
    ...[data, options]: CallArguments<unknown>
  ): Promise<ZeroMQReply<unknown>> => {
    const own = defaults?.get(name);
    if (contract !== undefined && own === undefined) {
      const known = contract.eventNames.join(', ');
      throw new ZeroMQConfigError(`the contract ${contract.name} has no event ${name}; it has ${known}`);
    }
    return through.sendMessage(name, data, { ...own, ...options });
  };
  return {
    sendMessage,
    call: async (name, ...args) => (await sendMessage(name, ...args)).eventData,
  };
}

function senderOf(client: CallSender): EventSender {
  if ('sendMessage' in client) return client;
  const defaults = { timeout: DEFAULT_TIMEOUT };
  return {
    sendMessage: (name, data, options = {}) => send(client, name, data, options, defaults),
  };
}

function defaultsOf({ method, timeout, idempotent }: EventDefinition): SendOptions {
  return {
    ...(timeout === undefined ? {} : { timeout }),
    idempotent: idempotent ?? IDEMPOTENT_METHODS.has(method?.toLowerCase() ?? ''),
  };
}
