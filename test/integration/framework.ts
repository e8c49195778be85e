/** Routers, workers, servers and clients for tests of the framework over real sockets. */
import { once } from 'node:events';
import {
  silentLogger,
  ZeroMQClient,
  type ZeroMQClientOptions,
  ZeroMQRouter,
  type ZeroMQRouterOptions,
  ZeroMQServer,
  type ZeroMQServerOptions,
  ZeroMQWorker,
  type ZeroMQWorkerOptions,
} from '../../src/index.ts';
import { anyEndpoint, type Transport } from '../helpers/endpoints.ts';
import { within } from '../helpers/eventually.ts';
import { PATIENCE, PATIENT } from '../helpers/patience.ts';
import { untilJoined } from '../helpers/published.ts';
import type { Scope } from '../helpers/scope.ts';

export const ALL_TRANSPORTS = ['tcp', 'ipc', 'inproc'] as const satisfies readonly Transport[];

/**
 * Deadline of `stop` for nodes of tests, in ms. Work that a test leaves behind must not delay it.
 */
const DRAIN = { deadline: 500 };

export interface StartedRouter {
  readonly router: ZeroMQRouter;
  readonly frontend: string;
  readonly backend: string;
  readonly heartbeat: string | undefined;
}

export async function startRouter(
  scope: Scope,
  transport: Transport = 'tcp',
  options: Partial<ZeroMQRouterOptions> = {},
): Promise<StartedRouter> {
  const router = new ZeroMQRouter({
    frontendConnection: anyEndpoint(scope, transport),
    backendConnection: anyEndpoint(scope, transport),
    logger: silentLogger,
    ...options,
    limits: { startupGrace: 0, ...options.limits },
  });
  scope.after(() => router.stop(DRAIN));
  const { frontend, backend, heartbeat } = await router.start();
  return { router, frontend, backend, heartbeat };
}

export function makeWorker(scope: Scope, options: ZeroMQWorkerOptions): ZeroMQWorker {
  const worker = new ZeroMQWorker({ logger: silentLogger, ...options });
  scope.after(() => worker.stop(DRAIN));
  return worker;
}

/** Starts a worker. Resolves when a router of this process sends it requests. */
export async function startWorker(scope: Scope, options: ZeroMQWorkerOptions): Promise<ZeroMQWorker> {
  const worker = makeWorker(scope, options);
  await untilJoined(() => worker.start());
  return worker;
}

export async function startServer(
  scope: Scope,
  options: Omit<ZeroMQServerOptions, 'connection'> & { connection?: ZeroMQServerOptions['connection'] },
  transport: Transport = 'tcp',
): Promise<{ server: ZeroMQServer; endpoint: string }> {
  const server = new ZeroMQServer({
    connection: anyEndpoint(scope, transport),
    logger: silentLogger,
    ...options,
  });
  scope.after(() => server.stop(DRAIN));
  const { endpoint } = await server.start();
  return { server, endpoint };
}

/** Returns a client that waits for connections and replies as long as the test, unless options say. */
export function makeClient(scope: Scope, options: ZeroMQClientOptions): ZeroMQClient {
  const client = new ZeroMQClient({
    ...PATIENT,
    logger: silentLogger,
    allowShortDurations: true,
    ...options,
  });
  scope.after(() => client.close());
  return client;
}

/** Returns a client with an established connection. */
export async function connectClient(
  scope: Scope,
  connection: ZeroMQClientOptions['connection'],
  options: Omit<ZeroMQClientOptions, 'connection'> = {},
): Promise<ZeroMQClient> {
  const client = makeClient(scope, { connection, ...options });
  await client.connect({ throwOnFailure: true, timeout: PATIENCE });
  return client;
}

/** Resolves with the next emission of an event of a node. Rejects after `timeout` ms. */
export function nextEvent(node: object, event: string, timeout = PATIENCE): Promise<unknown[]> {
  return within(once(node as NodeJS.EventEmitter, event), `the event ${event}`, timeout);
}

/** A handler whose calls stay open until the test opens the gate. */
export class HandlerGate {
  readonly calls: {
    readonly data: unknown;
    readonly signal: AbortSignal;
    readonly open: (value: unknown) => void;
  }[] = [];
  private wake: (() => void) | undefined;

  readonly handler = (data: unknown, context: { readonly signal: AbortSignal }): Promise<unknown> => {
    return new Promise((resolve) => {
      this.calls.push({ data, signal: context.signal, open: resolve });
      this.wake?.();
    });
  };

  /** Resolves after `count` calls. */
  async called(count = 1): Promise<void> {
    while (this.calls.length < count) {
      const more = new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      await within(more, `call ${count} of a handler; calls so far: ${this.calls.length}`);
    }
  }

  /** Lets every call return its data. */
  openAll(): void {
    for (const { data, open } of this.calls) open(data);
  }
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const done = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  return within(done, 'the signal to abort');
}
