/**
 * The worker: runs handlers for routers. `ZeroMQWorker` is the public class, `RouterLink` its link
 * to each router. `ZeroMQWorkerThreads` runs the handlers of several workers on worker threads.
 */
import type { Contract, EventDefinitions } from '../contract/index.ts';
import { placeOf } from '../core/identity/worker-name.ts';
import { atCallerOf } from '../core/messages/caller-stack.ts';
import { ZeroMQConfigError } from '../core/messages/errors.ts';
import type { ZeroMQHeartbeatConfig } from '../liveness/index.ts';
import type { HandlerOptions } from '../runtime/handlers.ts';
import { ZeroMQNodeType } from '../runtime/node-type.ts';
import { ServerEndpoint } from '../runtime/server-endpoint.ts';
import { localParts, type ServiceOptions, type ServiceParts } from '../runtime/service-node.ts';
import { ZeroMQConnection } from '../transport/addressing/connection.ts';
import type { DnsOptions } from '../transport/addressing/discovery.ts';
import { DnsTarget, type Target } from '../transport/addressing/targets.ts';
import {
  CurveClient,
  type CurveClientOptions,
  CurveServer,
  type CurveServerOptions,
} from '../transport/curve/curve-options.ts';
import type { Announcement, ContractAnnouncement } from '../wire/control.ts';
import { RoutedWorker, type RoutedWorkerOptions, type RouterTarget } from './routed-worker.ts';

/**
 * Options of {@link ZeroMQWorker}.
 *
 * @typeParam Events events of the contract, from which the handlers get their types.
 */
export type ZeroMQWorkerOptions<Events extends EventDefinitions = EventDefinitions> =
  ZeroMQWorkerBaseOptions & HandlerOptions<Events>;

/** Options of {@link ZeroMQWorker}, apart from its handlers. */
export interface ZeroMQWorkerBaseOptions extends ServiceOptions {
  /**
   * Backends of the routers to serve, or a router in the same thread, which is connected without a
   * socket. With `nodeType: SERVER`, the address to bind.
   */
  connection: RouterTarget;
  /**
   * How the worker looks up `dns://` names of routers.
   *
   * @defaultValue the DNS server in the URL, or else the resolver of the system, every 5,000 ms
   */
  dns?: DnsOptions;
  /**
   * `WORKER`: serves routers. `SERVER`: serves clients directly, without a router.
   *
   * @defaultValue `WORKER`
   */
  nodeType?: typeof ZeroMQNodeType.WORKER | typeof ZeroMQNodeType.SERVER;
  /**
   * Where and how often the worker sends heartbeats; as a SERVER, where it receives them.
   *
   * @defaultValue none: heartbeats are neither sent nor received
   */
  heartbeatConfig?: ZeroMQHeartbeatConfig;
  /**
   * Zone of the worker. Routers of the same zone prefer it.
   *
   * @defaultValue none
   */
  zone?: string;
  /**
   * CURVE keys for routers that require encryption ({@link CurveClientOptions}); as a SERVER, those
   * of its own socket ({@link CurveServerOptions}). INPROC connections are never encrypted.
   *
   * @defaultValue none: connections are not encrypted
   */
  curve?: CurveClientOptions | CurveServerOptions;
}

/**
 * Runs handlers behind native and classic routers; with `nodeType: SERVER`, directly for clients.
 *
 * @example
 * ```ts
 * const worker = new ZeroMQWorker({
 *   connection: 'tcp://localhost:5556',
 *   handlers: { 'tasks.get': ({ id }: { id: number }) => ({ id, title: 'Write docs' }) },
 * });
 * await worker.start();
 * ```
 */
export class ZeroMQWorker<const Events extends EventDefinitions = EventDefinitions> extends RoutedWorker {
  private readonly curveServer: CurveServer | undefined;

  /**
   * Creates a worker. It opens no socket before `start()`.
   *
   * @param options {@link ZeroMQWorkerOptions}
   * @throws {ZeroMQConfigError} when an option is invalid; the message names the option
   */
  constructor(options: ZeroMQWorkerOptions<Events>) {
    const { nodeType = ZeroMQNodeType.WORKER, curve } = options;
    try {
      super(nodeType, ...partsOf(options as ZeroMQWorkerOptions, nodeType));
      if (nodeType === ZeroMQNodeType.SERVER) {
        this.curveServer = curve && new CurveServer(curve as CurveServerOptions);
        checkAddresses(this.targets);
      }
    } catch (error) {
      throw atCallerOf(ZeroMQWorker, error);
    }
  }

  protected override open(): Promise<readonly string[]> {
    return this.source.kind === 'server' ? this.openServer() : super.open();
  }

  private async openServer(): Promise<readonly string[]> {
    const { source, maxMessageSize, heartbeatConfig, curveServer: curve } = this;
    const { identity } = this.identity;
    const onPeer = this.notify.bind(this);
    const link = new ServerEndpoint(this, {
      identity,
      maxMessageSize,
      source,
      curve,
      heartbeatConfig,
      onPeer,
    });
    this.opened = [link];
    const connections = this.targets.filter((target) => target instanceof ZeroMQConnection);
    const bound = await Promise.all(connections.map((connection) => link.open(connection)));
    return bound.map(({ endpoint }) => endpoint);
  }
}

type NodeType = NonNullable<ZeroMQWorkerBaseOptions['nodeType']>;

function partsOf(
  options: ZeroMQWorkerOptions,
  nodeType: NodeType,
): [parts: ServiceParts, options: RoutedWorkerOptions] {
  const { connection, dns, heartbeatConfig, curve, zone } = options;
  if (nodeType !== ZeroMQNodeType.WORKER && nodeType !== ZeroMQNodeType.SERVER) {
    throw new ZeroMQConfigError(`nodeType must be worker or server, got ${JSON.stringify(nodeType)}`);
  }
  const curveClient =
    curve && nodeType === ZeroMQNodeType.WORKER && new CurveClient(curve as CurveClientOptions);
  return [
    localParts(nodeType, options),
    {
      connection,
      dns,
      heartbeatConfig,
      zone,
      announcement: announcementOf(options),
      curve: curveClient === false ? undefined : curveClient,
    },
  ];
}

function checkAddresses(targets: readonly Target[]): void {
  if (targets.length > 1) {
    throw new ZeroMQConfigError('connection: a server binds one address, got a list of several');
  }
  if (targets.some((target) => target instanceof DnsTarget)) {
    throw new ZeroMQConfigError('connection: a server binds an address, not a DNS name');
  }
}

/**
 * Creates the announcement of a worker with these handlers.
 *
 * @param module path of the worker file. Defaults to the script of the process.
 */
export function announcementOf(options: HandlerOptions, module?: string): Announcement {
  const { handlers = {}, handleMessage, contract } = options;
  const named = [...new Set([...(contract?.eventNames ?? []), ...Object.keys(handlers)])];
  return {
    // A worker that handles every event and names none serves unannounced events.
    events: handleMessage !== undefined && contract === undefined ? undefined : named,
    contract: contract === undefined ? undefined : announcedContract(contract),
    ...placeOf(module),
  };
}

function announcedContract(contract: Contract): ContractAnnouncement {
  const { name, version, weight } = contract;
  return {
    name,
    fragment: contract.fragment(),
    ...(version === undefined ? {} : { version }),
    ...(weight === undefined ? {} : { weight }),
  };
}
