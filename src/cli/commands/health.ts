/** `zeromq-gateway health`: asks a node whether it can serve, for health checks of containers. */
import { isIPv6 } from 'node:net';
import { toError, ZeroMQError } from '../../core/messages/errors.ts';
import type { HealthReason } from '../../core/observability/health.ts';
import { DEFAULT_ADMIN_ADDRESS } from '../admin/admin.ts';
import { withClient } from '../nodes/connected-client.ts';
import { CURVE_CLIENT_SETTINGS } from '../nodes/curve.ts';
import { type CommandContext, defineCommand } from '../settings/command.ts';
import { CommandError, EXIT, UsageError } from '../settings/errors.ts';
import { flagOf, optional, setting, type ValuesOf } from '../settings/settings.ts';
import {
  type Address,
  addressOrOff,
  booleanFlag,
  healthTarget,
  timeoutMilliseconds,
} from '../settings/value-types.ts';

const settings = {
  to: optional(healthTarget, {
    description:
      "http:// address of a gateway or of an admin listener; or tcp:// or ipc:// address of a router's frontend or of a server",
    defaultNote: 'the admin listener of --admin on this machine',
  }),
  admin: optional(addressOrOff, {
    description: 'Address of the admin listener, as given to the node that is checked',
    defaultNote: '127.0.0.1:9090',
  }),
  live: setting(booleanFlag, {
    description: 'Check over HTTP only whether the process runs, not whether it can serve',
    default: false,
  }),
  timeout: setting(timeoutMilliseconds, { description: 'Timeout of the check', default: 2000 }),
  ...CURVE_CLIENT_SETTINGS,
};

/** The values of the settings, with the address to ask. */
type Values = ValuesOf<typeof settings> & { readonly to: string };

/** The admin listener of a node that listens on `address`, as seen from its own machine. */
function localUrl({ host, port }: Address): string {
  const local = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${isIPv6(local) ? `[${local}]` : local}:${port}`;
}

function target({ to, admin = DEFAULT_ADMIN_ADDRESS }: ValuesOf<typeof settings>): string {
  if (to !== undefined) return to;
  if (admin !== false) return localUrl(admin);
  throw new UsageError([`to is missing: the admin listener is off; set ${flagOf('to')}`]);
}

/** Resolves with the line to print. @throws {CommandError} when the node cannot serve. */
async function askHttp({ to, live, timeout }: Values): Promise<string> {
  const url = new URL(live ? '/livez' : '/readyz', to);
  let response: Response;
  let health: { status?: string; reasons?: readonly HealthReason[] };
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(timeout), redirect: 'error' });
    health = (await response.json()) as typeof health;
  } catch (error) {
    const { message, cause } = toError(error);
    throw new CommandError(`${url.href} does not answer: ${cause ? toError(cause).message : message}`);
  }
  const { status = `HTTP ${response.status}`, reasons = [] } = health;
  const lines = reasons.map(({ code, detail }) => `${code}: ${detail}`);
  if (!response.ok) throw new CommandError([`${status} (${url.href})`, ...lines].join('\n'));
  return [status, ...lines].join('\n');
}

function askNode(values: Values): Promise<string> {
  return withClient(values, {}, async (client, timeout) => {
    await client.sendMessage('$router.ping', null, { timeout }).catch((error: unknown) => {
      // This is how a server answers: the event is one of routers.
      if (!(error instanceof ZeroMQError && error.code === 'NO_HANDLER')) throw error;
    });
    return 'ok';
  });
}

async function check(given: ValuesOf<typeof settings>, context: CommandContext): Promise<number> {
  const values = { ...given, to: target(given) };
  context.out(await (/^https?:/.test(values.to) ? askHttp(values) : askNode(values)));
  return EXIT.ok;
}

export const healthCommand = defineCommand({
  name: 'health',
  description:
    'Check whether a node can serve. The exit code is 0 if it can. Otherwise it is 1, and the reasons are printed to ' +
    'standard error. Made for health checks of containers: it needs no other program.',
  settings,
  examples: [
    'health',
    'health --to http://127.0.0.1:8080',
    'health --to tcp://127.0.0.1:5555 --curve-server-key router.key.pub --curve-key operator.key',
  ],
  run: check,
});
