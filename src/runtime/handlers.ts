/** Types of the handlers of a worker or server. */
import type { HandlerContext } from './context.ts';

/**
 * Handles one event. It returns a JSON value or the result of `reply()`, or throws a `ReplyError`.
 */
export type Handler<Data = unknown> = (data: Data, context: HandlerContext) => unknown;

/** Handlers by event name. */
export type Handlers = Readonly<Record<string, Handler<never>>>;

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
