/**
 * runtime/streams: the streams of a handler. Replies as chunks within the window of the caller
 * (`reply-stream.ts`), and uploads.
 *
 * Keeps the asynchronous context of a handler for its stream. The body of a generator runs after the
 * handler has returned, and middlewares with an `AsyncLocalStorage` expect their store in it.
 */
import { AsyncResource } from 'node:async_hooks';
import { isReply, Reply } from '../reply.ts';
import { StreamBody, type StreamSource, streamSource } from './source.ts';

/**
 * Returns the result of a handler, whose stream, if it is one, is read in the present asynchronous
 * context.
 */
export function inPresentContext(result: unknown): unknown {
  if (isReply(result)) {
    const source = streamSource(result.data);
    if (source === undefined) return result;
    return new Reply(result.status, new StreamBody(bound(source)), result.headers);
  }
  const source = streamSource(result);
  return source === undefined ? result : bound(source);
}

/** Only iterators have a body of their own. Streams of Node.js and of the web keep their context. */
function bound(source: StreamSource): StreamSource {
  if (!('next' in source) || typeof source.next !== 'function') return source;
  const context = new AsyncResource('zeromq-gateway.stream');
  const iterator = source as AsyncIterator<unknown> | Iterator<unknown>;
  return {
    [Symbol.asyncIterator]: (): AsyncIterator<unknown> => ({
      next: () => context.runInAsyncScope(async () => await unwrapped(iterator.next())),
      return: () => context.runInAsyncScope(async () => await unwrapped(iterator.return?.())),
    }),
  };
}

type Step = IteratorResult<unknown, unknown>;

/** The step of an iterator, whose value may be a promise if it is a synchronous one. */
async function unwrapped(given: Step | Promise<Step> | undefined): Promise<Step> {
  const step = await given;
  return step === undefined
    ? { done: true, value: undefined }
    : { done: step.done === true, value: await step.value };
}
