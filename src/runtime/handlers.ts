/** The forms in which a worker or server is given its handlers. */
import type { HandlerContext } from './context.ts';

/** Handles one event. Returns any JSON value, or `reply(…)`, or throws `ReplyError`. */
export type Handler<Data = unknown> = (data: Data, context: HandlerContext) => unknown;

/** Handlers by event name. */
export type Handlers = Readonly<Record<string, Handler<never>>>;

/** A message as `handleMessage` gets it: the original's, in our naming. */
export interface Message {
  readonly eventName: string;
  readonly eventData: unknown;
}

/** Handles every event; its result is the reply's event data. */
export type MessageHandler = (message: Message, context: HandlerContext) => unknown;

/** Checks the data of an event before its handler sees it. */
export interface DataValidator {
  /** `value`: the data as the handler gets it; `errors`: what is wrong and where. */
  validate(
    eventName: string,
    data: unknown,
  ): { value: unknown; errors?: undefined } | { errors: readonly { pointer: string; message: string }[] };
}

/** Event names that the framework itself uses. */
export const ZeroMQEvent = { HEARTBEAT: 'heartbeat', MESSAGE: 'message', RESPONSE: 'response' } as const;
export type ZeroMQEvent = (typeof ZeroMQEvent)[keyof typeof ZeroMQEvent];
