/** `zeromq-gateway up`: runs gateway, router and workers in one process. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { contractChecker } from '../../openapi/index.ts';
import type { ZeroMQRouter } from '../../router/index.ts';
import { ZeroMQWorkerThreads } from '../../worker/index.ts';
import { ADMIN_SETTINGS, DEFAULT_ADMIN_ADDRESS, openAdmin, openView } from '../admin/admin.ts';
import { ProcessSource } from '../admin/admin-source.ts';
import { documentSettings, loadDocuments } from '../nodes/documents.ts';
import { openLog } from '../nodes/logging.ts';
import { serve } from '../nodes/serve.ts';
import { workerFilesIn } from '../nodes/worker-files.ts';
import { PACKAGE_FOLDER } from '../process/package.ts';
import { type CommandContext, defineCommand, NODE_SETTINGS } from '../settings/command.ts';
import { optional, setting, type ValuesOf } from '../settings/settings.ts';
import { addressOrOff, type DocumentSpec, folder } from '../settings/value-types.ts';
import { HTTP_SETTINGS, openGateway, openRegistry } from './gateway.ts';
import { openRouter, ROUTER_SETTINGS } from './router.ts';
import { WORKER_SETTINGS } from './worker.ts';

/** The compiled samples in an installed package: Node.js does not run TypeScript under node_modules. */
const SAMPLE_WORKERS = path.join(
  PACKAGE_FOLDER,
  PACKAGE_FOLDER.includes(`${path.sep}node_modules${path.sep}`) ? 'dist/samples/workers' : 'workers',
);
const SAMPLE_DOCUMENTS = path.join(PACKAGE_FOLDER, 'openapi');

/**
 * Maximum time, in milliseconds, to wait before the ready line until the router has registered the
 * workers. Registration is normally immediate.
 */
const JOIN_WAIT = 5000;

const settings = {
  ...HTTP_SETTINGS,
  workers: setting(folder, {
    description: 'Folder with worker files, TypeScript or JavaScript',
    default: SAMPLE_WORKERS,
    defaultNote: 'the sample workers of the package',
  }),
  ...WORKER_SETTINGS,
  ...documentSettings('the samples, unless --workers is given'),
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

function documentsOf({ openapi, workers }: Values): readonly DocumentSpec[] {
  if (openapi !== undefined) return openapi;
  if (workers !== SAMPLE_WORKERS) return [];
  const names = readdirSync(SAMPLE_DOCUMENTS).filter((name) => /\.(ya?ml|json)$/.test(name));
  return names.sort().map((name) => ({ file: path.join(SAMPLE_DOCUMENTS, name), prefix: '' }));
}

function up(values: Values, context: CommandContext): Promise<number> {
  return serve('up', values.drain, context, async (resources) => {
    const files = workerFilesIn(values.workers);
    const log = openLog(values, resources);
    const { logger } = log;
    const view = values.admin === false ? undefined : openView(resources);
    const admin =
      view === undefined
        ? ''
        : await openAdmin(values, new ProcessSource(view, log), logger, resources, DEFAULT_ADMIN_ADDRESS);
    const registry = openRegistry(values);
    loadDocuments(registry, documentsOf(values), values, logger, resources);
    const { router, endpoints } = await openRouter(values, contractChecker(registry), logger, resources);
    view?.addRouter(router);
    const { threads, concurrency, threadStallTimeout } = values;
    const registered = workersRegistered(router, files.length * threads);
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
    await registered;
    const { url, gateway } = await openGateway(values, router, registry, logger, resources);
    view?.addGateway(gateway);
    view?.ready();
    const { frontend, backend, heartbeat } = endpoints;
    const names = files.map((name) => path.basename(name)).join(', ');
    return `${url}, docs ${url}/docs, workers ${names}, frontend ${frontend}, backend ${backend}, heartbeat ${heartbeat}${admin}`;
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
  ],
  run: up,
});
