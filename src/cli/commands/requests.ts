/** `zeromq-gateway requests`: lists, shows and cancels stored requests. */
import type { RequestRecord, RequestsCommand } from '../../gateway/admin/index.ts';
import { REQUEST_STATES } from '../../store/index.ts';
import { runRequests } from '../admin/requests-client.ts';
import { type CommandContext, defineCommand } from '../settings/command.ts';
import { EXIT, UsageError } from '../settings/errors.ts';
import { optional, setting, type ValuesOf } from '../settings/settings.ts';
import {
  booleanFlag,
  choice,
  file,
  storeOrOff,
  text,
  timeoutMilliseconds,
  wholeNumber,
} from '../settings/value-types.ts';
import { duration, tableOf } from '../terminal/table.ts';

const settings = {
  action: setting(choice('ACTION', 'list', 'show', 'cancel'), {
    description: 'list, show or cancel',
    positional: true,
    default: 'list',
  }),
  id: optional(
    { ...text, placeholder: 'ID' },
    { description: 'Id of the request to show or cancel', positional: true, defaultNote: 'none' },
  ),
  state: optional(choice('STATE', ...REQUEST_STATES), {
    description: 'List only requests in this state',
    defaultNote: 'all states',
  }),
  caller: optional(
    { ...text, placeholder: 'CALLER' },
    {
      description: 'List only requests of this caller',
      defaultNote: 'all callers',
    },
  ),
  limit: setting(wholeNumber(1, 1000), {
    description: 'Maximum requests to list, newest first',
    default: 100,
  }),
  to: setting(
    { ...text, placeholder: 'URL' },
    {
      description: 'URL of the admin listener of a gateway',
      default: 'http://127.0.0.1:9090',
    },
  ),
  adminTokenFile: optional(file, {
    description: 'File with the token of the admin listener',
    defaultNote: 'no token',
  }),
  store: optional(storeOrOff, {
    description:
      'Open this store directly, without an admin listener; a SQLite file only while no gateway uses it',
    defaultNote: 'use the admin listener',
  }),
  timeout: setting(timeoutMilliseconds, { description: 'Timeout of the request', default: 5000 }),
  json: setting(booleanFlag, { description: 'Print JSON', default: false }),
};

type Values = ValuesOf<typeof settings>;

/** Formats the table of requests. */
export function requestsTable(requests: readonly RequestRecord[], now: number): string[] {
  const rows = requests.map(({ id, state, event, caller, key, createdAt, status, code }) => [
    id,
    state,
    event,
    caller === '' ? '-' : caller,
    key ?? '-',
    duration(Math.max(0, now - Date.parse(createdAt ?? ''))),
    status === undefined ? '-' : String(status),
    code === undefined || code === '' ? '-' : code,
  ]);
  const columns = ['ID', 'STATE', 'EVENT', 'CALLER', 'KEY', 'AGE', 'STATUS', 'CODE'];
  return tableOf(
    columns.map((title) => (title === 'AGE' ? ([title, 'right'] as const) : ([title] as const))),
    rows,
  );
}

function commandOf({ action, id, state, caller, limit }: Values): RequestsCommand {
  if (action === 'list') {
    if (id !== undefined) throw new UsageError(['requests list takes no ID; use requests show ID']);
    return { action, state: state, caller, limit };
  }
  if (id === undefined) throw new UsageError([`id is missing: requests ${action} needs the ID of a request`]);
  return { action: action, id };
}

async function requests(values: Values, context: CommandContext): Promise<number> {
  const { to, adminTokenFile, timeout, json } = values;
  const store = values.store === false ? undefined : values.store;
  const command = commandOf(values);
  const body = await runRequests({ to, adminTokenFile, store, timeout }, command);
  if (json) context.out(JSON.stringify(body));
  else for (const line of linesOf(command, body)) context.out(line);
  return EXIT.ok;
}

function linesOf(command: RequestsCommand, body: unknown): string[] {
  if (command.action === 'list') return requestsTable(body as RequestRecord[], Date.now());
  if (command.action === 'show') {
    const entries = Object.entries(body as RequestRecord).filter(([, value]) => value !== undefined);
    return entries.map(
      ([name, value]) =>
        `${name}: ${typeof value !== 'string' ? JSON.stringify(value) : value === '' ? '-' : value}`,
    );
  }
  const { cancel } = body as { cancel: string };
  return [
    cancel === 'cancelled'
      ? `${command.id} is cancelled and never runs`
      : `the gateway that holds ${command.id} is asked to cancel it`,
  ];
}

export const requestsCommand = defineCommand({
  name: 'requests',
  description:
    'List, show or cancel stored requests: asynchronous ones, and those with an idempotency key. The command asks the ' +
    'admin listener of a gateway, or opens the store itself.',
  settings,
  examples: [
    'requests',
    'requests list --state unknown --json',
    'requests show 0b0b2b5e-6a0d-4d1c-8d7b-1b8f3c1d2e3f',
    'requests cancel 0b0b2b5e-6a0d-4d1c-8d7b-1b8f3c1d2e3f --to http://10.0.0.7:9090 --admin-token-file token',
  ],
  run: requests,
});
