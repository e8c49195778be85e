/** Settings of `zeromq-gateway dev`. */
import { ADMIN_SETTINGS } from '../admin/admin.ts';
import { documentSettings } from '../nodes/documents.ts';
import { NODE_SETTINGS } from '../settings/command.ts';
import { optional, setting } from '../settings/settings.ts';
import {
  addressOrOff,
  booleanFlag,
  choice,
  file,
  folder,
  list,
  listenEndpoint,
  port,
  storeOrOff,
  timeoutMilliseconds,
  wholeNumber,
} from '../settings/value-types.ts';
import { DEFAULT_STORE, HTTP_SETTINGS } from './gateway.ts';
import { ROUTER_SETTINGS } from './router.ts';
import { WORKER_SETTINGS } from './worker.ts';

export const DEV_SETTINGS = {
  ...HTTP_SETTINGS,
  port: optional(port, {
    description: HTTP_SETTINGS.port.description,
    defaultNote: '8080, or a free port if it is in use',
  }),
  timeout: optional(timeoutMilliseconds, {
    description: HTTP_SETTINGS.timeout.description,
    group: 'HTTP',
    defaultNote: '5000; one hour with --inspect',
  }),
  store: optional(storeOrOff, {
    description: HTTP_SETTINGS.store.description,
    group: HTTP_SETTINGS.store.group,
    defaultNote: `sqlite:${DEFAULT_STORE}, created when an operation needs it`,
  }),
  workers: optional(folder, {
    description: 'Folder with worker files, TypeScript or JavaScript',
    defaultNote: 'workers',
  }),
  envFile: optional(list(file), {
    description: 'File with environment variables of the workers; workers are reloaded when it changes',
    group: 'Development',
    defaultNote: '.env, if it exists',
  }),
  watch: optional(list(file), {
    description: 'Further file whose change reloads all workers, such as a file that they read',
    group: 'Development',
    defaultNote: 'none',
  }),
  typecheck: setting(choice('MODE', 'hold', 'report', 'off'), {
    description:
      'Type check with the TypeScript of the project: hold keeps the running version of a worker while the new one has type errors, report only shows them, off disables the check',
    group: 'Development',
    default: 'hold',
  }),
  inspect: setting(booleanFlag, {
    description: 'Run each worker in a process with a debugger port',
    group: 'Development',
    default: false,
  }),
  inspectPort: setting(wholeNumber(1024, 65_535, 'PORT'), {
    description: 'First debugger port; each process gets the next free one',
    group: 'Development',
    default: 9229,
  }),
  open: setting(booleanFlag, {
    description: 'Open Swagger UI in a browser',
    group: 'Development',
    default: false,
  }),
  ...WORKER_SETTINGS,
  threads: setting(wholeNumber(1, 256), {
    // Only a new thread or process loads a file again.
    description: 'Threads per worker file',
    group: WORKER_SETTINGS.threads.group,
    default: WORKER_SETTINGS.threads.default,
  }),
  ...documentSettings('none'),
  ...ROUTER_SETTINGS,
  frontend: optional(listenEndpoint, {
    description: ROUTER_SETTINGS.frontend.description,
    defaultNote: 'tcp://127.0.0.1:5555, or a free port if it is in use',
  }),
  backend: optional(listenEndpoint, {
    description: ROUTER_SETTINGS.backend.description,
    defaultNote: 'tcp://127.0.0.1:5556, or a free port if it is in use',
  }),
  heartbeat: optional(listenEndpoint, {
    description: ROUTER_SETTINGS.heartbeat.description,
    group: 'Heartbeats',
    defaultNote: 'tcp://127.0.0.1:5557, or a free port if it is in use',
  }),
  ...ADMIN_SETTINGS,
  admin: optional(addressOrOff, {
    description: ADMIN_SETTINGS.admin.description,
    group: ADMIN_SETTINGS.admin.group,
    defaultNote: '127.0.0.1:9090, or a free port if it is in use',
  }),
  ...NODE_SETTINGS,
};
