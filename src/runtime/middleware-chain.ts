/** Puts middlewares around handlers, once for each handler, when a node is created. */
import type { Logger } from '../core/logging/logging.ts';
import { toError, ZeroMQConfigError } from '../core/messages/errors.ts';
import type { HandlerContext } from './handler-context.ts';
import type { Handler, HandlerOptions, Handlers, MessageHandler } from './handlers.ts';
import type { EventMiddleware, Middleware, Middlewares } from './middleware.ts';
import { inPresentContext } from './streams/async-context.ts';

/** The handlers of a node. */
interface HandlerSet {
  readonly handlers: Handlers | undefined;
  readonly handleMessage: MessageHandler | undefined;
}

/**
 * Puts the middlewares of a node around its handlers. The first one is called first, and sees the
 * result last.
 *
 * @returns the handlers themselves where no middleware is for their event.
 * @throws {ZeroMQConfigError} when a middleware is not a function, or is for an event that the node
 *   does not handle.
 */
export function withMiddlewares(options: HandlerOptions, logger: Logger): HandlerSet {
  const { handlers, handleMessage } = options;
  const use: Middlewares | undefined = options.use;
  if (use === undefined) return { handlers, handleMessage };
  checkMiddlewares(use, handleMessage === undefined ? Object.keys(handlers ?? {}) : undefined);
  const entries = Object.entries(handlers ?? {});
  const all = handleMessage && chain(use, undefined, onMessage(handleMessage), logger);
  return {
    handlers:
      handlers && Object.fromEntries(entries.map(([name, run]) => [name, chain(use, name, run, logger)])),
    handleMessage: all && (({ eventData }, context) => all(eventData, context)),
  };
}

function checkMiddlewares(use: Middlewares, events: readonly string[] | undefined): void {
  if (!Array.isArray(use)) throw new ZeroMQConfigError(`use must be a list of functions, got ${typeof use}`);
  for (const [index, entry] of (use as Middlewares).entries()) {
    const { events: patterns, run } = normal(entry);
    const place = `use[${index}]`;
    if (typeof run !== 'function') {
      throw new ZeroMQConfigError(`${place} must be a function, or { events, run }, got ${kindOf(entry)}`);
    }
    if (patterns?.every((pattern) => typeof pattern === 'string') === false || patterns?.length === 0) {
      throw new ZeroMQConfigError(`${place}.events must be a name of an event, or a list of names`);
    }
    const unknown = events && patterns?.find((pattern) => !events.some((name) => matches(pattern, name)));
    if (unknown === undefined) continue;
    throw new ZeroMQConfigError(`${place}.events: there is no handler for ${JSON.stringify(unknown)}`);
  }
}

/** @param eventName undefined for a handler of all events. */
function chain(use: Middlewares, eventName: string | undefined, handler: Handler, logger: Logger): Handler {
  let run = handler;
  for (const [index, entry] of [...use.entries()].reverse()) {
    const { events, run: middleware } = normal(entry);
    const name = `use[${index}]${middleware.name === '' ? '' : ` (${middleware.name})`}`;
    if (events === undefined) run = wrapped(name, middleware, run, logger);
    else if (eventName === undefined) {
      const [inner, outer] = [run, wrapped(name, middleware, run, logger)];
      run = (data, context) => (isFor(events, context.eventName) ? outer : inner)(data, context);
    } else if (isFor(events, eventName)) run = wrapped(name, middleware, run, logger);
  }
  return run;
}

function onMessage(handleMessage: MessageHandler): Handler {
  return (eventData, context) => handleMessage({ eventName: context.eventName, eventData }, context);
}

/** One call of a middleware. */
class Call {
  private inner: Promise<unknown> | undefined;
  private misuse: Error | undefined;
  private settled = false;

  constructor(
    private readonly name: string,
    private readonly start: (data: unknown) => Promise<unknown>,
    private readonly report: (error: unknown) => void,
  ) {}

  /** Starts the handler. All misuse fails the request, whether the middleware awaits it or not. */
  next(data: unknown): Promise<unknown> {
    if (this.settled) return this.reject('called next() after it had ended');
    if (this.inner !== undefined) return this.reject('called next() twice');
    this.inner = this.start(data);
    this.inner.catch((error: unknown) => {
      if (this.settled) this.report(error);
    });
    return this.inner;
  }

  /** The result of the request, after the middleware returned this one. */
  async end(result: unknown): Promise<unknown> {
    const final = result === undefined && this.inner !== undefined ? await this.inner : result;
    if (this.inner === undefined && result === undefined) {
      throw new Error(`the middleware ${this.name} neither called next() nor returned a result`);
    }
    if (this.misuse !== undefined) throw this.misuse;
    return final;
  }

  close(): void {
    this.settled = true;
  }

  private reject(what: string): Promise<never> {
    const error = new Error(`the middleware ${this.name} ${what}`);
    this.misuse ??= error;
    if (this.settled) this.report(error);
    const rejected = Promise.reject(error);
    rejected.catch(() => undefined); // it is reported in any case
    return rejected;
  }
}

function wrapped(name: string, middleware: Middleware, inner: Handler, logger: Logger): Handler {
  return async (data, context) => {
    const start = async (changed: unknown): Promise<unknown> =>
      inPresentContext(await inner(changed, context));
    const call = new Call(name, start, (error) => reportLate(logger, context, error));
    try {
      return await call.end(await middleware(data, context, (changed = data) => call.next(changed)));
    } finally {
      call.close();
    }
  };
}

/** Logs a failure that no reply can carry, because the request has been answered. */
function reportLate(logger: Logger, { eventName: event, requestId }: HandlerContext, error: unknown): void {
  try {
    logger.error({ err: toError(error), event, requestId }, 'a middleware failed after the reply');
  } catch (failed) {
    process.emitWarning(toError(failed), { code: 'ZEROMQ_GATEWAY_LOGGER' });
  }
}

function normal(entry: Middleware | EventMiddleware): {
  events: readonly string[] | undefined;
  run: Middleware;
} {
  if (typeof entry === 'function') return { events: undefined, run: entry };
  const { events, run } = (entry ?? {}) as Partial<EventMiddleware>;
  return { events: [events ?? []].flat(), run: run as Middleware };
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}

function isFor(patterns: readonly string[], eventName: string): boolean {
  return patterns.some((pattern) => matches(pattern, eventName));
}

function matches(pattern: string, eventName: string): boolean {
  return pattern.endsWith('*') ? eventName.startsWith(pattern.slice(0, -1)) : pattern === eventName;
}
