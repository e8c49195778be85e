/** Types of the handlers of a worker or server. */
import type { Contract, ContractHandlers, EventData, EventDefinitions } from '../contract/index.ts';
import type { HandlerContext } from './handler-context.ts';
import type { Middlewares } from './middleware.ts';
import type { Reply } from './reply.ts';

/**
 * Handles one event. It returns a JSON value or the result of `reply()`, or throws a `ReplyError`.
 */
export type Handler<Data = unknown> = (data: Data, context: HandlerContext) => unknown;

/** Handlers by event name, without a contract that says the type of their data. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- without a contract, handlers state the type themselves
export type Handlers = Readonly<Record<string, Handler<any>>>;

/**
 * Handlers for the events of a contract, with the types of its schemas: one for each event, and no
 * others. Without a contract, {@link Handlers}.
 *
 * @typeParam Events events of the contract.
 */
export type HandlersOf<Events extends EventDefinitions> = string extends keyof Events
  ? Handlers
  : ContractHandlers<Events, HandlerContext, Reply>;

/**
 * The handlers of a worker or server: one for each event of its contract. With `handleMessage`,
 * which takes all other events, none is required.
 *
 * @typeParam Events events of the contract; inferred from `contract`.
 */
export type HandlerOptions<Events extends EventDefinitions = EventDefinitions> = {
  /**
   * Contract of the handlers. The node validates event data by it before a handler runs. A worker
   * announces it to routers, which publish it to gateways.
   *
   * @defaultValue none: event data is not validated, and no HTTP route is announced
   */
  contract?: Contract<Events>;
  /**
   * Middlewares around each handler: authorisation, logging, transactions, caching. The first one is
   * called first. They run in the node of the handler, after the contract has validated the data.
   *
   * @defaultValue none
   */
  use?: Middlewares<DataOf<NoInfer<Events>>>;
} & (string extends keyof Events ? AnyHandlers : TypedHandlers<NoInfer<Events>>);

/** Data of any event of a contract; without a contract, middlewares state the type themselves. */
type DataOf<Events extends EventDefinitions> = string extends keyof Events
  ? // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as for Handlers
    any
  : { [Name in keyof Events]: EventData<NonNullable<Events[Name]>> }[keyof Events];

interface AnyHandlers {
  /**
   * Handlers by event name.
   *
   * @defaultValue none: `handleMessage` handles all events
   */
  handlers?: Handlers;
  /**
   * Handles all events without an entry in `handlers`. Its result is the event data of the reply.
   *
   * @defaultValue none: such events are answered with `NO_HANDLER`
   */
  handleMessage?: MessageHandler;
}

// The stricter member comes last: the compiler explains a mismatch by the last member of a union.
type TypedHandlers<Events extends EventDefinitions> =
  | { handlers?: Partial<HandlersOf<Events>>; handleMessage: MessageHandler }
  | { handlers: HandlersOf<Events>; handleMessage?: undefined };

/**
 * Argument of a {@link MessageHandler}: the message object of the Python original, with camel-case
 * names.
 */
export interface Message {
  /** Name of the event. */
  readonly eventName: string;
  /** Parsed event data. */
  readonly eventData: unknown;
}

/** Handles every event. Its result is the event data of the reply. */
export type MessageHandler = (message: Message, context: HandlerContext) => unknown;

/** Validates the data of an event before its handler runs. */
export interface DataValidator {
  /**
   * Returns `value`, the data for the handler, or `errors` with the problems and their locations.
   */
  validate(
    eventName: string,
    data: unknown,
  ): { value: unknown; errors?: undefined } | { errors: readonly { pointer: string; message: string }[] };
}

/** Event names that the protocol of the Python original uses itself. */
export const ZeroMQEvent = { HEARTBEAT: 'heartbeat', MESSAGE: 'message', RESPONSE: 'response' } as const;
export type ZeroMQEvent = (typeof ZeroMQEvent)[keyof typeof ZeroMQEvent];
