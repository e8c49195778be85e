/**
 * commands: one file per command, with its settings and what it runs.
 *
 * `zeromq-gateway call`: sends one event and prints its reply.
 */
import { readReply } from '../../client/index.ts';
import { parseExact, stringifyExact } from '../../core/json/exact-json.ts';
import { toError } from '../../core/messages/errors.ts';
import type { ReplyMessage } from '../../core/messages/message.ts';
import { printStream } from '../nodes/call-stream.ts';
import { withClient } from '../nodes/connected-client.ts';
import { CURVE_CLIENT_SETTINGS } from '../nodes/curve.ts';
import { type CommandContext, defineCommand } from '../settings/command.ts';
import { EXIT, UsageError } from '../settings/errors.ts';
import { FROM_INPUT, jsonOrInput } from '../settings/json-types.ts';
import { optional, required, setting, type ValuesOf } from '../settings/settings.ts';
import { booleanFlag, connectEndpoint, file, text, timeoutMilliseconds } from '../settings/value-types.ts';
import { withProgress } from '../terminal/progress.ts';

const settings = {
  event: required({ ...text, placeholder: 'EVENT' }, { description: 'Name of the event', positional: true }),
  eventData: optional(jsonOrInput, {
    description: 'Event data, or - to read it from standard input',
    positional: true,
    defaultNote: 'null',
  }),
  to: setting(connectEndpoint, {
    description: "Router's frontend, or a server",
    default: 'tcp://127.0.0.1:5555',
  }),
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

/** Reads the event data from standard input. */
async function readInput({ input }: CommandContext): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of input ?? []) chunks.push(Buffer.from(chunk));
  const text = Buffer.concat(chunks).toString();
  try {
    return parseExact(text, 'spelling');
  } catch (error) {
    const { message } = toError(error);
    throw new UsageError([`eventData: standard input is not valid JSON: ${message}`]);
  }
}

async function call(values: ValuesOf<typeof settings>, context: CommandContext): Promise<number> {
  const { event, classic } = values;
  const data = values.eventData === FROM_INPUT ? await readInput(context) : values.eventData;
  await withClient(values, { classic, poolSize: 1 }, async (client, timeout) => {
    if (values.stream || values.upload !== undefined) {
      await printStream(client, { event, data: data ?? null, timeout, upload: values.upload }, context);
      return;
    }
    const body = Buffer.from(stringifyExact(data ?? null));
    const pending = new Promise<ReplyMessage>((resolve) => {
      client.request({ eventName: event, body, timeout, idempotent: false }, resolve);
    });
    const reply = await withProgress(context, `waiting for ${event}`, pending, values.timeout);
    const { eventData } = readReply(event, reply, (text) => parseExact(text, 'spelling'));
    context.out(Buffer.isBuffer(eventData) ? eventData.toString() : stringifyExact(eventData));
  });
  return EXIT.ok;
}

export const callCommand = defineCommand({
  name: 'call',
  description:
    'Send one event and print the data of the reply as JSON. If the call fails, its error code and message are printed ' +
    'to standard error, and the exit code is 1.',
  settings,
  examples: [
    `call echo.get '{"message":"hello"}'`,
    'call tasks.create - < task.json',
    'call tasks.list --to tcp://10.0.0.1:5555 --timeout 1000',
    'call clock.watch --stream',
  ],
  run: call,
});
