/** Types of middlewares: functions around the handlers of a worker or server. */
import type { HandlerContext } from './handler-context.ts';

/**
 * Calls the next middleware, or the handler after the last one.
 *
 * @param data data for it; undefined for the data that the middleware received. It is not validated
 *   again.
 * @returns a promise of its result, or of the error that it threw
 */
export type MiddlewareNext = (data?: unknown) => Promise<unknown>;

/**
 * Runs around the handler of a request, after its data was validated. It may call `next` once and
 * return another result, answer without `next`, or throw. Without a result, that of `next` counts.
 *
 * @typeParam Data type of the event data.
 * @example
 * ```ts
 * const log: Middleware = async (_data, { eventName, requestId }, next) => {
 *   const started = performance.now();
 *   const result = await next();
 *   console.log(eventName, requestId, performance.now() - started);
 *   return result;
 * };
 * ```
 */
export type Middleware<Data = unknown> = (
  data: Data,
  context: HandlerContext,
  next: MiddlewareNext,
) => unknown;

/**
 * A middleware for some events.
 *
 * @typeParam Data type of the event data.
 */
export interface EventMiddleware<Data = unknown> {
  /** Names of the events. `tasks.*` stands for all events with this prefix. */
  readonly events: string | readonly string[];
  /** The middleware. */
  readonly run: Middleware<Data>;
}

/** The middlewares of a node, in the order of their calls. */
export type Middlewares<Data = unknown> = readonly (Middleware<Data> | EventMiddleware<Data>)[];
