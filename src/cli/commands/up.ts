/** `zeromq-gateway up`: runs gateway, router and workers in one process. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { contractChecker } from '../../openapi/index.ts';
import type { ZeroMQRouter } from '../../router/index.ts';
import { ZeroMQWorkerThreads } from '../../worker/index.ts';
import { ADMIN_SETTINGS, DEFAULT_ADMIN_ADDRESS, openAdmin, viewFor } from '../admin/admin.ts';
import { ProcessSource } from '../admin/admin-source.ts';
import { documentSettings, loadDocuments } from '../nodes/documents.ts';
import { openLog } from '../nodes/logging.ts';
import { serve } from '../nodes/serve.ts';
import { quietLoggerOf, traceChanges, traceRequests } from '../nodes/traffic-log.ts';
import { listWorkerFiles } from '../nodes/worker-files.ts';
import { PACKAGE_FOLDER } from '../process/package.ts';
import { findPython, PYTHON_SAMPLE, startPythonSample } from '../process/python-sample.ts';
import { type CommandContext, defineCommand, NODE_SETTINGS } from '../settings/command.ts';
import { optional, setting, type ValuesOf } from '../settings/settings.ts';
import { addressOrOff, folderOrOff, programOrOff, storeOrOff } from '../settings/value-types.ts';
import { DEFAULT_STORE, HTTP_SETTINGS, openGateway, openRegistry, withDefaultStore } from './gateway.ts';
import { openRouter, ROUTER_SETTINGS } from './router.ts';
import { WORKER_SETTINGS } from './worker.ts';

/** The samples as the build compiles them. Without a build, their sources. */
const COMPILED_SAMPLES = path.join(PACKAGE_FOLDER, 'dist/samples/workers');
const SAMPLE_WORKERS = existsSync(COMPILED_SAMPLES) ? COMPILED_SAMPLES : path.join(PACKAGE_FOLDER, 'workers');

/**
 * Maximum time, in milliseconds, to wait before the ready line until the router has registered the
 * workers. Registration is normally immediate.
 */
const JOIN_WAIT = 5000;

const settings = {
  ...HTTP_SETTINGS,
  store: optional(storeOrOff, {
    description: HTTP_SETTINGS.store.description,
    group: HTTP_SETTINGS.store.group,
    defaultNote: `sqlite:${DEFAULT_STORE}, created when an operation needs it`,
  }),
  workers: setting(folderOrOff, {
    description:
      'Folder with worker files, TypeScript or JavaScript; off for none, as with workers in Python only',
    default: SAMPLE_WORKERS,
    defaultNote: 'the sample workers of the package',
  }),
  python: optional(programOrOff, {
    description: 'Python that runs the Python sample next to the other sample workers, or off',
    group: 'Python nodes',
    defaultNote: 'python3, if it has pyzmq',
  }),
  ...WORKER_SETTINGS,
  ...documentSettings('none'),
  ...ROUTER_SETTINGS,
  ...ADMIN_SETTINGS,
  admin: optional(addressOrOff, {
    description: ADMIN_SETTINGS.admin.description,
    group: ADMIN_SETTINGS.admin.group,
    defaultNote: '127.0.0.1:9090, or a free port if it is in use',
  }),
  ...NODE_SETTINGS,
};

type Values = ValuesOf<typeof settings>;

function up(values: Values, context: CommandContext): Promise<number> {
  return serve('up', values.drain, context, async (resources) => {
    const files = values.workers === false ? [] : listWorkerFiles(values.workers);
    const log = openLog(values, resources, context);
    if (values.workers !== false && files.length === 0)
      log.logger.warn({ workers: values.workers }, 'the folder of the workers contains no worker file');
    const target = { log, context, resources };
    const { logger } = log;
    const view = viewFor({ ...values, admin: values.admin ?? DEFAULT_ADMIN_ADDRESS }, resources);
    const admin =
      view === undefined
        ? ''
        : await openAdmin(values, new ProcessSource(view, log), logger, resources, DEFAULT_ADMIN_ADDRESS);
    const registry = openRegistry(values);
    loadDocuments(registry, values.openapi ?? [], values, logger, resources);
    const { router, endpoints } = await openRouter(
      values,
      contractChecker(registry),
      quietLoggerOf(log),
      resources,
    );
    view?.addRouter(router);
    if (log.isText) traceChanges(registry, target);
    const isSample = values.workers === SAMPLE_WORKERS && values.openapi === undefined;
    // The sample has no keys for an encrypted router.
    const hasKeys = (values.curveKey ?? values.curveSecretKey) !== undefined;
    const python = isSample && !hasKeys ? findPython(values.python, logger) : undefined;
    const { threads, concurrency, threadStallTimeout } = values;
    const registered = workersRegistered(router, files.length * Math.max(1, threads));
    const groups = files.map((module) => {
      return new ZeroMQWorkerThreads({
        module,
        threads,
        connection: router,
        concurrency,
        threadStallTimeout,
        logger,
      });
    });
    resources.addAll(groups.map((group) => () => group.stop({ deadline: resources.drainLeft })));
    await Promise.all(groups.map((group) => group.start()));
    if (files.length > 0) await registered;
    const names = files.map((name) => path.basename(name));
    const sample = { router, registry, logger, resources, endpoints };
    if (isSample && (await startPythonSample(sample, await python))) names.push(PYTHON_SAMPLE);
    if (!log.isText) traceChanges(registry, target);
    const traced = traceRequests(withDefaultStore(values, context.cwd), target);
    const opened = openGateway(traced, router, registry, resources);
    const { url, gateway } = await opened;
    view?.addGateway(gateway);
    view?.ready();
    const { frontend, backend, heartbeat } = endpoints;
    return `${url}, docs ${url}/docs, workers ${names.join(', ') || 'none'}, frontend ${frontend}, backend ${backend}, heartbeat ${heartbeat}${admin}`;
  });
}

/**
 * Resolves when the router has registered this many workers, or after the time limit. The log has
 * the reason if the router rejected a worker.
 */
function workersRegistered(router: ZeroMQRouter, count: number): Promise<void> {
  return new Promise((resolve) => {
    let known = 0;
    const done = (): void => {
      clearTimeout(timer);
      router.off('workerJoined', onJoin);
      resolve();
    };
    const onJoin = (): void => {
      known += 1;
      if (known === count) done();
    };
    const timer = setTimeout(done, JOIN_WAIT).unref();
    router.on('workerJoined', onJoin);
  });
}

export const upCommand = defineCommand({
  name: 'up',
  description:
    'Run a gateway, a router and workers in one process, each worker in threads of its own. The router also listens on ' +
    'loopback, so that workers and clients in any language can connect.',
  settings,
  examples: [
    'up',
    'up --port 3000 --workers ./workers',
    'up --openapi inventory.yaml --strategy round-robin',
    'up --workers off --openapi inventory.yaml',
  ],
  run: up,
});
