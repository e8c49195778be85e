/** `zeromq-gateway dev`: runs gateway, router and workers, and reloads workers when files change. */
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from '../../core/logging/logging.ts';
import { type GatewaySettingsInput, readSettings } from '../../gateway/index.ts';
import { isFree } from '../../worker/threads/inspector.ts';
import { DEFAULT_ADMIN_ADDRESS, openAdmin, viewFor } from '../admin/admin.ts';
import { ProcessSource } from '../admin/admin-source.ts';
import { openBrowser } from '../dev/browser.ts';
import { codeFrame } from '../dev/code-frame.ts';
import { DevContracts } from '../dev/contracts.ts';
import { envFilesIn } from '../dev/env-files.ts';
import { InspectorPorts } from '../dev/inspector-ports.ts';
import { placeOf } from '../dev/load-error.ts';
import { DevOutput } from '../dev/output.ts';
import { onParentExit } from '../dev/parent.ts';
import { Session } from '../dev/session.ts';
import { TypeCheck } from '../dev/type-check.ts';
import { loadDocuments } from '../nodes/documents.ts';
import { openLog } from '../nodes/logging.ts';
import { type Resources, serve } from '../nodes/serve.ts';
import { quietLoggerOf, traceRequests } from '../nodes/traffic-log.ts';
import { type CommandContext, defineCommand } from '../settings/command.ts';
import { CONFIG_NAMES } from '../settings/config-file.ts';
import { UsageError } from '../settings/errors.ts';
import type { ValuesOf } from '../settings/settings.ts';
import { type Painter, painter } from '../terminal/colours.ts';
import { DEV_SETTINGS } from './dev-settings.ts';
import { openGateway, openRegistry, withDefaultStore } from './gateway.ts';
import { openRouter } from './router.ts';

type Values = ValuesOf<typeof DEV_SETTINGS>;

const HTTP_PORT = 8080;

/** Default addresses of the router. Each is replaced by a free port if it is in use. */
const ROUTER_PORTS = { frontend: 5555, backend: 5556, heartbeat: 5557 } as const;

/** Timeout of operations while a debugger may stop their handlers, in ms. */
const DEBUG_TIMEOUT = 3_600_000;

function workersIn({ workers }: Values, cwd: string): string {
  const folder = workers ?? path.join(cwd, 'workers');
  if (existsSync(folder) && statSync(folder).isDirectory()) return folder;
  throw new UsageError([
    'workers: the working folder has no folder workers; create one with `zeromq-gateway new worker NAME --folder workers`, or choose another folder with --workers',
  ]);
}

/** Fills in the addresses and durations that have no fixed default. */
async function withDefaults(values: Values) {
  const { port, host, inspect, timeout, threadStallTimeout } = values;
  const endpoint = async (name: keyof typeof ROUTER_PORTS): Promise<string> => {
    const free = await isFree(ROUTER_PORTS[name]);
    return values[name] ?? `tcp://127.0.0.1:${free ? ROUTER_PORTS[name] : 0}`;
  };
  return {
    ...values,
    port: port ?? ((await isFree(HTTP_PORT, host)) ? HTTP_PORT : 0),
    frontend: await endpoint('frontend'),
    backend: await endpoint('backend'),
    heartbeat: await endpoint('heartbeat'),
    timeout: timeout ?? (inspect ? DEBUG_TIMEOUT : 5000),
    // A process that a debugger stops does not stall.
    threadStallTimeout: inspect ? Infinity : threadStallTimeout,
  };
}

/** Opens the log: text unless JSON is asked for, with a code frame below errors. */
function openDevLog(values: Values, paint: Painter, context: CommandContext, resources: Resources) {
  const frameOf = (stack: string): readonly string[] => {
    const place = placeOf(stack);
    return place === undefined ? [] : codeFrame(place, paint);
  };
  return openLog(values, resources, context, { elsewhere: 'text', frameOf, followsFile: false });
}

/** Checks types in the background. */
function checkTypes(
  values: Values,
  session: Session,
  output: DevOutput,
  context: CommandContext,
  resources: Resources,
): TypeCheck {
  const effect = values.typecheck === 'hold' ? '' : '; the code runs nevertheless';
  const check = new TypeCheck({
    cwd: context.cwd,
    colours: context.colours?.err ?? false,
    onErrors: (count, lines) => output.typeErrors(count, lines, effect),
    onFixed: () => {
      output.note('no type errors');
      session.typesFixed();
    },
    onUnavailable: (reason) => output.warn(`types are not checked: ${reason}`),
  });
  resources.add(() => check.close());
  return check;
}

/** URL of the page that the user sees first: Swagger UI, or the gateway if it serves none. */
function firstPage(url: string, { http }: Values): string {
  const { paths } = readSettings((http as GatewaySettingsInput | undefined) ?? {});
  return `${url}${paths.docs === false || paths.openapi === false ? '' : paths.docs}`;
}

async function open(
  values: Awaited<ReturnType<typeof withDefaults>>,
  workers: string,
  context: CommandContext,
  resources: Resources,
): Promise<string> {
  const { cwd, env } = context;
  const paint = painter(context.colours?.err);
  const output = new DevOutput(cwd, (line) => context.err(line), paint);
  const log = openDevLog(values, paint, context, resources);
  const logger: Logger = log.logger;
  const view = viewFor({ ...values, admin: values.admin ?? DEFAULT_ADMIN_ADDRESS }, resources);
  const admin =
    view === undefined
      ? ''
      : await openAdmin(values, new ProcessSource(view, log), logger, resources, DEFAULT_ADMIN_ADDRESS);
  const registry = openRegistry(values);
  loadDocuments(registry, values.openapi ?? [], values, logger, resources);
  const contracts = new DevContracts(registry);
  const { router, endpoints } = await openRouter(values, contracts, quietLoggerOf(log), resources);
  view?.addRouter(router);
  const { threads, concurrency, threadStallTimeout, inspect, inspectPort, drain } = values;
  let types: TypeCheck | undefined;
  const session = new Session({
    types: () => (values.typecheck === 'hold' ? types : undefined),
    cwd,
    workers,
    envFiles: envFilesIn(cwd, values.envFile),
    env,
    watched: values.watch ?? [],
    startFiles: [...CONFIG_NAMES.map((name) => path.join(cwd, name)), ...(values.hooks ?? [])],
    drain,
    worker: { router, contracts, threads, concurrency, threadStallTimeout, logger },
    inspector: inspect ? new InspectorPorts(inspectPort, threads) : undefined,
    output,
  });
  resources.add(() => session.close(resources.drainLeft));
  await session.start();
  const traced = traceRequests(withDefaultStore(values, cwd), { log, context, resources });
  const opened = openGateway(traced, router, registry, resources);
  const { url, gateway } = await opened;
  view?.addGateway(gateway);
  view?.ready();
  const page = firstPage(url, values);
  // After the ready line.
  setImmediate(() => {
    if (values.typecheck !== 'off') types = checkTypes(values, session, output, context, resources);
    if (values.open) openBrowser(page, (reason) => output.warn(`cannot open a browser: ${reason}`), env);
  });
  const names = session.names.length === 0 ? 'none' : session.names.join(', ');
  const { frontend, backend, heartbeat } = endpoints;
  return `${page}, workers ${names}, frontend ${frontend}, backend ${backend}, heartbeat ${heartbeat}${admin}`;
}

function dev(values: Values, context: CommandContext): Promise<number> {
  const workers = workersIn(values, context.cwd);
  return serve('dev', values.drain, context, async (resources) => {
    const line = await open(await withDefaults(values), workers, context, resources);
    // A script of npm; every other parent may end before `dev`. Added last, so that the checks stop
    // when the drain begins: the signal would end it.
    if (context.env['npm_lifecycle_event'] !== undefined)
      resources.add(onParentExit(() => process.kill(process.pid, 'SIGTERM')));
    return line;
  });
}

export const devCommand = defineCommand({
  name: 'dev',
  description:
    'Run a gateway, a router and workers for development. Workers are reloaded when one of their files changes, and ' +
    'requests in flight are not lost. A version that cannot be loaded does not replace the running one.',
  settings: DEV_SETTINGS,
  examples: ['dev', 'dev --open', 'dev --workers src/workers --env-file .env.local --inspect'],
  run: dev,
});
