/** `zeromq-gateway types`: writes TypeScript types of events. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { toError } from '../../core/messages/errors.ts';
import { withRouterAdmin } from '../admin/router-admin-client.ts';
import { CURVE_CLIENT_SETTINGS } from '../nodes/curve.ts';
import { documentSettings } from '../nodes/documents.ts';
import { type CommandContext, defineCommand } from '../settings/command.ts';
import { CommandError, EXIT } from '../settings/errors.ts';
import { optional, required, setting, type ValuesOf } from '../settings/settings.ts';
import { filePath, timeoutMilliseconds } from '../settings/value-types.ts';
import { withProgress } from '../terminal/progress.ts';
import { eventTypes } from '../types/event-types.ts';
import { isRouter, readContracts, readFile, readUrl, typesSource } from '../types/source.ts';

const settings = {
  from: required(typesSource, {
    description: "URL or file of an OpenAPI document, or a router's frontend",
  }),
  output: optional(filePath, {
    description: 'File for the types; an existing file is replaced',
    defaultNote: 'standard output',
  }),
  unnamed: documentSettings('none').unnamed,
  timeout: setting(timeoutMilliseconds, {
    description: 'Timeout of the request to the gateway or router',
    default: 5000,
  }),
  ...CURVE_CLIENT_SETTINGS,
};

type Values = ValuesOf<typeof settings>;

async function writeTypes(values: Values, context: CommandContext): Promise<number> {
  const { from, output } = values;
  const text = await withProgress(context, `reading ${from}`, read(values, context), values.timeout);
  if (output === undefined) {
    context.out(text.trimEnd());
    return EXIT.ok;
  }
  try {
    writeFileSync(output, text);
  } catch (error) {
    const { message } = toError(error);
    throw new CommandError(`cannot write ${output}: ${message}; choose another file with --output`);
  }
  context.err(`zeromq-gateway types: wrote ${path.relative(context.cwd, output)}`);
  return EXIT.ok;
}

async function read(values: Values, context: CommandContext): Promise<string> {
  const { from, unnamed, timeout } = values;
  if (isRouter(from)) {
    const listed = await withRouterAdmin({ ...values, to: from, json: false }, (admin) => admin.contracts());
    const warn = (text: string): void => context.err(`zeromq-gateway types: ${text}`);
    const { registry, events } = readContracts(from, listed.contracts, warn);
    return eventTypes(registry.snapshot(), events, from);
  }
  if (/^https?:/i.test(from)) {
    const registry = await readUrl(from, unnamed, timeout);
    return eventTypes(registry.snapshot(), [], from);
  }
  const origin = path.relative(context.cwd, from).replaceAll('\\', '/');
  return eventTypes(readFile(from, unnamed).snapshot(), [], origin);
}

export const typesCommand = defineCommand({
  name: 'types',
  description:
    'Write TypeScript types of the events of an OpenAPI document, or of the contracts that the workers of a router ' +
    'announce. createCaller<Events>(client) calls the events with these types.',
  settings,
  examples: [
    'types --from http://127.0.0.1:8080/openapi.json --output src/events.ts',
    'types --from openapi/inventory.yaml',
    'types --from tcp://10.0.0.1:5555 --curve-server-key router.key.pub --curve-key client.key',
  ],
  run: writeTypes,
});
