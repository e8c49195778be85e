/** `zeromq-gateway server`: runs handlers that clients call directly, without a router. */
import path from 'node:path';
import { type Contract, defineContract, type EventDefinition } from '../../contract/index.ts';
import type { Logger } from '../../core/logging/logging.ts';
import { ZeroMQHeartbeatConfig } from '../../liveness/index.ts';
import { withMiddlewares } from '../../runtime/middleware-chain.ts';
import { ZeroMQServer } from '../../server/index.ts';
import { loadWorkerModule, type WorkerDefinition } from '../../worker/index.ts';
import { ADMIN_SETTINGS, openAdmin, viewFor } from '../admin/admin.ts';
import { ProcessSource } from '../admin/admin-source.ts';
import { ServerPart } from '../admin/service-part.ts';
import { CURVE_SERVER_SETTINGS, serverCurve } from '../nodes/curve.ts';
import { explainBindErrors } from '../nodes/endpoints.ts';
import { openLog } from '../nodes/logging.ts';
import { serve } from '../nodes/serve.ts';
import { type CommandContext, defineCommand, NODE_SETTINGS } from '../settings/command.ts';
import { UsageError } from '../settings/errors.ts';
import { optional, required, setting, type ValuesOf } from '../settings/settings.ts';
import { file, filePath, list, listenEndpoint, wholeNumber } from '../settings/value-types.ts';

const settings = {
  files: required(list(file), {
    description: 'TypeScript or JavaScript file with defineWorker(…) as its default export',
    positional: true,
  }),
  bind: setting(listenEndpoint, {
    description: 'Listen address for clients',
    default: 'tcp://127.0.0.1:5555',
    defaultNote: 'tcp://127.0.0.1:5555, this machine only',
  }),
  concurrency: optional(wholeNumber(1, 100_000), {
    description: 'Requests that the server runs at a time',
    defaultNote: 'the lowest of the files, else 64',
  }),
  heartbeat: optional(listenEndpoint, {
    description: 'Listen address for heartbeats of clients',
    group: 'Heartbeats',
    defaultNote: 'none',
  }),
  nodeFile: optional(filePath, {
    description: 'INI file that stores the node id; can be shared with Python nodes (config.ini)',
    group: 'Python nodes',
    defaultNote: 'a new id at every start',
  }),
  ...CURVE_SERVER_SETTINGS,
  ...ADMIN_SETTINGS,
  ...NODE_SETTINGS,
};

type Values = ValuesOf<typeof settings>;

/** A worker file and its export. */
interface Loaded {
  readonly file: string;
  readonly definition: WorkerDefinition;
}

/**
 * Combines several definitions into one.
 *
 * @throws {UsageError} when two of them handle the same event or require different representations
 * of large integers.
 */
function merge(loaded: readonly Loaded[], logger: Logger): WorkerDefinition {
  const [only, ...others] = loaded;
  if (only !== undefined && others.length === 0) return only.definition;
  const owners = new Map<string, string>();
  const claim = (event: string, file: string): void => {
    const owner = owners.get(event);
    if (owner !== undefined) {
      throw new UsageError([
        `files: ${owner} and ${file} both handle ${event}; a server can have only one handler for it`,
      ]);
    }
    owners.set(event, file);
  };
  for (const { file: name, definition } of loaded) {
    for (const event of Object.keys(definition.handlers ?? {})) claim(event, name);
    if (definition.handleMessage !== undefined) claim('every event (handleMessage)', name);
  }
  const definitions = loaded.map(({ definition }) => definition);
  const [largeIntegers, ...differing] = new Set(definitions.map((each) => each.largeIntegers ?? 'number'));
  if (differing.length > 0) {
    throw new UsageError([
      'files: the values of largeIntegers differ; set the same value in all files of a server',
    ]);
  }
  // The middlewares of a file are for its own handlers.
  const sets = definitions.map((each) => withMiddlewares(each, logger));
  const limits = definitions.flatMap(({ concurrency }) => concurrency ?? []);
  return {
    concurrency: limits.length === 0 ? undefined : Math.min(...limits),
    largeIntegers,
    handlers: Object.assign({}, ...sets.map(({ handlers }) => handlers)) as WorkerDefinition['handlers'],
    handleMessage: sets.find(({ handleMessage }) => handleMessage !== undefined)?.handleMessage,
    contract: mergeContracts(definitions),
  };
}

/**
 * Validates each event with the contract that has it. Events of files without a contract are not
 * validated.
 */
function mergeContracts(definitions: readonly WorkerDefinition[]): Contract {
  const events: Record<string, EventDefinition> = {};
  const holders = new Map<string, Contract>();
  for (const { handlers, contract } of definitions) {
    for (const event of Object.keys(handlers ?? {})) events[event] = {};
    for (const event of contract?.eventNames ?? []) if (contract !== undefined) holders.set(event, contract);
    Object.assign(events, contract?.events);
  }
  return {
    ...defineContract({ name: 'server', events }),
    validate: (event, data) => holders.get(event)?.validate(event, data) ?? { value: data },
  };
}

function run(values: Values, context: CommandContext): Promise<number> {
  const { files, bind, concurrency, heartbeat, nodeFile, drain } = values;
  return serve('server', drain, context, async (resources) => {
    const log = openLog(values, resources, context);
    const { logger } = log;
    const view = viewFor(values, resources);
    const admin = view ? await openAdmin(values, new ProcessSource(view, log), logger, resources) : '';
    const listeners = [
      { setting: 'bind', endpoint: bind },
      { setting: 'heartbeat', endpoint: heartbeat ?? bind },
    ];
    const curve = serverCurve(values, listeners, logger, resources);
    const loaded: Loaded[] = [];
    for (const name of files) loaded.push({ file: name, definition: await loadWorkerModule(name) });
    const definition = merge(loaded, logger);
    const server = new ZeroMQServer({
      ...definition,
      connection: bind,
      concurrency: concurrency ?? definition.concurrency,
      heartbeatConfig: heartbeat === undefined ? undefined : new ZeroMQHeartbeatConfig(heartbeat),
      configFile: nodeFile,
      curve,
      logger,
    });
    for (const { definition: each } of loaded) {
      await each.onStart?.();
      resources.add(() => each.onStop?.());
    }
    const { endpoint } = await explainBindErrors(listeners, () => server.start());
    resources.add(() => server.stop({ deadline: resources.drainLeft }), server.closed);
    view?.addService(new ServerPart(server));
    view?.ready();
    return `${files.map((name) => path.basename(name)).join(', ')} on ${endpoint}${admin}`;
  });
}

export const serverCommand = defineCommand({
  name: 'server',
  description: 'Serve native and Python clients directly, without a router.',
  settings,
  examples: [
    'server workers/echo.ts --bind tcp://127.0.0.1:5555',
    'server a.ts b.js --bind ipc:///run/zg/server.sock',
  ],
  run,
});
