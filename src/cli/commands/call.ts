/** `zeromq-gateway call`: sends one event and prints its reply. */
import { readReply, ZeroMQClient } from '../../client/index.ts';
import { parseExact, stringifyExact } from '../../core/json/exact-json.ts';
import { ZeroMQError } from '../../core/messages/errors.ts';
import type { ReplyMessage } from '../../core/messages/message.ts';
import { printStream } from '../nodes/call-stream.ts';
import { CURVE_CLIENT_SETTINGS, clientCurve } from '../nodes/curve.ts';
import { type CommandContext, defineCommand } from '../settings/command.ts';
import { EXIT, requestError } from '../settings/errors.ts';
import { optional, required, setting, type ValuesOf } from '../settings/settings.ts';
import {
  booleanFlag,
  connectEndpoint,
  file,
  json,
  text,
  timeoutMilliseconds,
} from '../settings/value-types.ts';
import { withProgress } from '../terminal/progress.ts';

const settings = {
  event: required({ ...text, placeholder: 'EVENT' }, { description: 'Name of the event', positional: true }),
  json: optional(json, { description: 'Event data', positional: true, defaultNote: 'null' }),
  to: required(connectEndpoint, { description: "Router's frontend, or a server" }),
  timeout: setting(timeoutMilliseconds, {
    description: 'Timeout of the call, including the connection',
    default: 5000,
  }),
  stream: setting(booleanFlag, {
    description: 'Print the items of the reply as they arrive; --timeout is the time to the first one',
    default: false,
  }),
  upload: optional(file, {
    description: 'File to send as the body of the request, which the handler reads as a stream',
    defaultNote: 'no body',
  }),
  classic: setting(booleanFlag, { description: 'Connect to a Python router', default: false }),
  ...CURVE_CLIENT_SETTINGS,
};

/**
 * Maximum time to wait for the connection, in milliseconds; the default of the Python framework.
 */
const CONNECT_TIMEOUT = 2000;

async function call(values: ValuesOf<typeof settings>, context: CommandContext): Promise<number> {
  const { event, json: data, to, timeout, classic } = values;
  const client = new ZeroMQClient({
    connection: to,
    timeout,
    classic,
    poolSize: 1,
    curve: clientCurve(values),
  });
  const began = performance.now();
  try {
    await client.connect({ timeout: Math.min(CONNECT_TIMEOUT, timeout), throwOnFailure: true });
    const left = Math.max(1, Math.round(timeout - (performance.now() - began)));
    if (values.stream || values.upload !== undefined) {
      await printStream(client, { event, data: data ?? null, timeout: left, upload: values.upload }, context);
      return EXIT.ok;
    }
    const body = Buffer.from(stringifyExact(data ?? null));
    const pending = new Promise<ReplyMessage>((resolve) => {
      client.request({ eventName: event, body, timeout: left, idempotent: false }, resolve);
    });
    const reply = await withProgress(context, `waiting for ${event}`, pending, timeout);
    const { eventData } = readReply(event, reply, (text) => parseExact(text, 'spelling'));
    context.out(Buffer.isBuffer(eventData) ? eventData.toString() : stringifyExact(eventData));
    return EXIT.ok;
  } catch (error) {
    throw error instanceof ZeroMQError && error.code !== 'INVALID_ARGUMENT' ? requestError(error) : error;
  } finally {
    await client.close();
  }
}

export const callCommand = defineCommand({
  name: 'call',
  description:
    'Send one event and print the data of the reply as JSON. If the call fails, its error code and message are printed ' +
    'to standard error, and the exit code is 1.',
  settings,
  examples: [
    `call echo.get '{"message":"hello"}' --to tcp://127.0.0.1:5555`,
    'call tasks.list --to tcp://127.0.0.1:5555 --timeout 1000',
    'call clock.watch --to tcp://127.0.0.1:5555 --stream',
  ],
  run: call,
});
