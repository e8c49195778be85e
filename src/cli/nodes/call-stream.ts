/**
 * nodes: what commands that run a node share. Start, reload and end (`serve.ts`), worker files,
 * documents, keys, endpoints and logs.
 *
 * `zeromq-gateway call --stream` and `--upload`: prints the items of a reply as they arrive.
 */
import { createReadStream } from 'node:fs';
import { openStream, type ZeroMQClient } from '../../client/index.ts';
import { parseExact, stringifyExact } from '../../core/json/exact-json.ts';
import { MAX_MESSAGE_BYTES } from '../../wire/limits.ts';
import type { CommandContext } from '../settings/command.ts';

/** What to call. */
export interface StreamedCall {
  readonly event: string;
  readonly data: unknown;
  /** Time to the first chunk, in milliseconds. */
  readonly timeout: number;
  /** File to send as the body. */
  readonly upload: string | undefined;
}

/**
 * Sends an event and prints its reply: an item per line as JSON, or the bytes unchanged. SIGINT and
 * SIGTERM cancel the request, which is then not an error.
 *
 * @throws {ZeroMQError} when the request or the stream fails.
 */
export async function printStream(
  client: ZeroMQClient,
  { event, data, timeout, upload }: StreamedCall,
  context: CommandContext,
): Promise<void> {
  const body = upload === undefined ? undefined : createReadStream(upload);
  const readJson = (text: string): unknown => parseExact(text, 'spelling');
  const json = Buffer.from(stringifyExact(data));
  const defaults = { timeout, readJson, maxMessageSize: MAX_MESSAGE_BYTES, json };
  const stop = new AbortController();
  const end = (): void => stop.abort();
  process.once('SIGINT', end).once('SIGTERM', end);
  try {
    const stream = await openStream(client, event, null, { body, signal: stop.signal }, defaults);
    for await (const item of stream) {
      // Nothing reads the items any longer: leaving the loop cancels the stream.
      if (context.outputClosed?.aborted === true) return;
      await print(item, context);
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
  }
}

async function print(item: unknown, context: CommandContext): Promise<void> {
  if (!Buffer.isBuffer(item)) context.out(stringifyExact(item));
  else if (context.write === undefined) context.out(item.toString());
  else await context.write(item);
}
