/**
 * The nodes of the interop matrix: classic and native clients, routers, workers and servers with
 * one interface each, so that a test is written once and runs for every combination.
 */
import type { EventEmitter } from 'node:events';
import {
  ZeroMQClient,
  ZeroMQHeartbeatConfig,
  ZeroMQRouter,
  ZeroMQServer,
  ZeroMQWorker,
} from '../../src/index.ts';
import type { HandlerContext } from '../../src/runtime/handler-context.ts';
import {
  ClassicClients,
  type ClassicPeer,
  ClassicRouter,
  ClassicServer,
  ClassicWorker,
} from '../helpers/classic.ts';
import { anyEndpoint, type Transport } from '../helpers/endpoints.ts';
import { emissions, eventually } from '../helpers/eventually.ts';
import { untilJoined } from '../helpers/published.ts';
import type { Cleanup } from '../helpers/scope.ts';

export const KINDS = ['classic', 'ours'] as const;
export type Kind = (typeof KINDS)[number];

/** Interval of heartbeats in tests, in ms. */
export const BEAT = 50;

/** Endpoint of a router or server. */
export interface Listening {
  kind: Kind;
  frontend: string;
  backend: string;
  heartbeat: string | undefined;
  /** Resolves after heartbeats of `count` nodes. */
  heardOf(count: number): Promise<void>;
}

/**
 * Several clients. `call` sends from the client with this number, and throws if no reply arrives.
 */
export interface Callers {
  readonly count: number;
  call(eventName: string, data: unknown, options?: { client?: number; timeout?: number }): Promise<unknown>;
}

/**
 * Handlers of the native workers and servers of the matrix, equal to those of the classic ones
 * (test/classic/handlers.py).
 */
export async function handleAsClassic(
  { eventName, eventData }: { eventName: string; eventData: unknown },
  context: HandlerContext,
): Promise<unknown> {
  const what = eventName.slice(eventName.lastIndexOf('.') + 1);
  if (what === 'whoami') return { pid: process.pid };
  if (what === 'mute') await gaveUp(context.signal);
  return eventData;
}

function gaveUp(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

export async function startRouter(
  cleanup: Cleanup,
  kind: Kind,
  transport: Transport,
  heartbeats: boolean,
): Promise<Listening> {
  const [frontend, backend] = [anyEndpoint(cleanup, transport), anyEndpoint(cleanup, transport)];
  const heartbeat = heartbeats ? anyEndpoint(cleanup, transport) : undefined;
  if (kind === 'classic') {
    const router = await ClassicRouter.start(cleanup, frontend, backend, heartbeat ? { heartbeat } : {});
    return {
      kind,
      frontend: router.frontend,
      backend: router.backend,
      heartbeat: heartbeat && router.heartbeat,
      heardOf: (count) => beatsHeard(router, count),
    };
  }
  const router = new ZeroMQRouter({
    frontendConnection: frontend,
    backendConnection: backend,
    heartbeatConfig: beatsTo(heartbeat),
    limits: { startupGrace: 0 },
  });
  cleanup.after(() => router.stop({ deadline: 1000 }));
  const heardOf = nodesHeard(router);
  return { kind, heartbeat: undefined, ...(await router.start()), heardOf };
}

/**
 * Resolves when the worker may be sent requests. A classic router holds requests until a worker is
 * connected.
 */
export async function startWorker(cleanup: Cleanup, kind: Kind, router: Listening): Promise<void> {
  const start = () =>
    kind === 'classic' ? startClassicWorker(cleanup, router) : startOurWorker(cleanup, router);
  await (router.kind === 'ours' ? untilJoined(start) : start());
}

async function startClassicWorker(cleanup: Cleanup, { backend, heartbeat }: Listening): Promise<void> {
  await ClassicWorker.start(cleanup, backend, heartbeat ? { heartbeat, interval: BEAT } : {});
}

async function startOurWorker(cleanup: Cleanup, { backend, heartbeat }: Listening): Promise<void> {
  const worker = new ZeroMQWorker({
    connection: backend,
    handleMessage: handleAsClassic,
    heartbeatConfig: beatsTo(heartbeat),
  });
  cleanup.after(() => worker.stop({ deadline: 1000 }));
  await worker.start();
}

export async function startServer(
  cleanup: Cleanup,
  kind: Kind,
  transport: Transport,
  heartbeats: boolean,
): Promise<Listening> {
  const endpoint = anyEndpoint(cleanup, transport);
  const heartbeat = heartbeats ? anyEndpoint(cleanup, transport) : undefined;
  if (kind === 'classic') {
    const server = await ClassicServer.start(cleanup, endpoint, heartbeat ? { heartbeat } : {});
    return {
      kind,
      frontend: server.endpoint,
      backend: '',
      heartbeat: heartbeat && server.heartbeat,
      heardOf: (count) => beatsHeard(server, count),
    };
  }
  const server = new ZeroMQServer({
    connection: endpoint,
    handleMessage: handleAsClassic,
    heartbeatConfig: beatsTo(heartbeat),
  });
  cleanup.after(() => server.stop({ deadline: 1000 }));
  const heardOf = nodesHeard(server);
  const bound = await server.start();
  return { kind, frontend: bound.endpoint, backend: '', heartbeat: bound.heartbeat, heardOf };
}

/**
 * @param behind the node to which the clients connect. Native clients must know that a router is
 * classic.
 */
export async function startClients(
  cleanup: Cleanup,
  kind: Kind,
  { frontend, heartbeat }: Listening,
  behind: 'classic router' | 'anything else',
  count = 1,
): Promise<Callers> {
  if (kind === 'classic') {
    const beats = heartbeat ? { heartbeat, interval: BEAT } : {};
    const clients = await ClassicClients.start(cleanup, frontend, { clients: count, ...beats });
    return {
      count,
      call: async (eventName, data, options) => {
        const reply = await clients.request(eventName, data, options);
        if (reply.error) throw new Error(`a classic client got no reply: ${reply.error}`);
        if (reply.event !== eventName) throw new Error(`the reply is to ${reply.event}`);
        return reply.data;
      },
    };
  }
  const clients = await Promise.all(
    Array.from({ length: count }, async () => {
      const client = new ZeroMQClient({
        connection: frontend,
        classic: behind === 'classic router',
        poolSize: count > 1 ? 1 : 16, // Each socket of libzmq counts, and the maximum is 1,023.
        heartbeatConfig: beatsTo(heartbeat),
      });
      cleanup.after(() => client.close());
      await client.connect({ throwOnFailure: true });
      return client;
    }),
  );
  return {
    count,
    call: async (eventName, data, { client = 0, timeout } = {}) => {
      const reply = await clients[client]?.sendMessage(eventName, data, { timeout });
      return reply?.eventData;
    },
  };
}

function beatsTo(heartbeat: string | undefined): ZeroMQHeartbeatConfig | undefined {
  return heartbeat === undefined ? undefined : new ZeroMQHeartbeatConfig(heartbeat, { interval: BEAT });
}

/** Waits for heartbeats of `count` nodes at a classic peer. */
async function beatsHeard(peer: ClassicPeer, count: number): Promise<void> {
  const nodes = new Set<unknown>();
  await peer.waitForLine((line) => {
    const beat = line['heartbeat'] as { session_id: string } | undefined;
    if (beat) nodes.add(beat.session_id);
    return nodes.size >= count;
  });
}

/**
 * Counts the nodes whose heartbeats a native node receives from now on. Returns a function that
 * waits for them.
 */
function nodesHeard(node: EventEmitter): (count: number) => Promise<void> {
  const nodes = new Set<unknown>();
  node.on('peerConnected', (identity) => nodes.add(identity));
  return async (count) => {
    await eventually(
      emissions(node, 'peerConnected'),
      () => nodes.size >= count,
      `heartbeats of ${count} nodes`,
    );
  };
}
