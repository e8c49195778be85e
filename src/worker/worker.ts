/**
 * worker: runs handlers for routers. `ZeroMQWorker` is the public face, `RouterLink` its link to each router,
 * `ZeroMQWorkerThreads` runs the handlers of several on worker threads.
 */
import { ZeroMQConfigError } from '../core/messages/errors.ts';
import type { ZeroMQHeartbeatConfig } from '../liveness/index.ts';
import { ZeroMQNodeType } from '../runtime/node-type.ts';
import { ServerLink } from '../runtime/server-endpoint.ts';
import { localParts, type ServiceOptions } from '../runtime/service-node.ts';
import { ZeroMQConnection } from '../transport/addressing/connection.ts';
import type { DnsOptions } from '../transport/addressing/discovery.ts';
import { DnsTarget } from '../transport/addressing/targets.ts';
import {
  CurveClient,
  type CurveClientOptions,
  CurveServer,
  type CurveServerOptions,
} from '../transport/curve/curve-options.ts';
import type { Announcement } from '../wire/control.ts';
import { RoutedWorker, type RouterTarget } from './routed-worker.ts';

/** Options of a worker. */
export interface ZeroMQWorkerOptions extends ServiceOptions {
  /**
   * Backends of the routers to work for, or a router of this thread, which is reached without a socket; with
   * `nodeType: SERVER`, where to bind.
   */
  connection: RouterTarget;
  /** How names of routers are looked up. */
  dns?: DnsOptions;
  /** WORKER (default), or SERVER: serves clients directly, without a router. */
  nodeType?: typeof ZeroMQNodeType.WORKER | typeof ZeroMQNodeType.SERVER;
  /** Where and how often to send heartbeats (as a SERVER: where to receive them). Default: none. */
  heartbeatConfig?: ZeroMQHeartbeatConfig;
  /**
   * Encryption towards routers that ask for it (`CurveClientOptions`); as a SERVER that of its own socket
   * (`CurveServerOptions`). Default: none; INPROC never has it.
   */
  curve?: CurveClientOptions | CurveServerOptions;
}

/** Runs handlers behind routers, ours and classic ones; with `nodeType: SERVER`, directly for clients. */
export class ZeroMQWorker extends RoutedWorker {
  private readonly curveServer: CurveServer | undefined;

  /** @throws ZeroMQConfigError naming the option that is not acceptable. */
  constructor(options: ZeroMQWorkerOptions) {
    const { nodeType = ZeroMQNodeType.WORKER, connection, dns, heartbeatConfig, curve } = options;
    if (nodeType !== ZeroMQNodeType.WORKER && nodeType !== ZeroMQNodeType.SERVER) {
      throw new ZeroMQConfigError(`nodeType must be worker or server, got ${JSON.stringify(nodeType)}`);
    }
    super(nodeType, localParts(nodeType, options), {
      connection,
      dns,
      heartbeatConfig,
      announcement: announcementOf(options),
      curve:
        curve !== undefined && nodeType === ZeroMQNodeType.WORKER
          ? new CurveClient(curve as CurveClientOptions)
          : undefined,
    });
    if (curve !== undefined && nodeType === ZeroMQNodeType.SERVER) {
      this.curveServer = new CurveServer(curve as CurveServerOptions);
    }
    if (nodeType === ZeroMQNodeType.SERVER && this.places.length > 1) {
      throw new ZeroMQConfigError('connection: a server binds one place, got a list of several');
    }
    if (nodeType === ZeroMQNodeType.SERVER && this.places.some((place) => place instanceof DnsTarget)) {
      throw new ZeroMQConfigError('connection: a server binds an address, not a name to look up');
    }
  }

  protected override open(): Promise<readonly string[]> {
    return this.speaker.kind === 'server' ? this.openServer() : super.open();
  }

  private async openServer(): Promise<readonly string[]> {
    const { speaker, maxMessageSize, heartbeatConfig, curveServer: curve } = this;
    const { identity } = this.identity;
    const onPeer = this.notify.bind(this);
    const link = new ServerLink(this, { identity, maxMessageSize, speaker, curve, heartbeatConfig, onPeer });
    this.opened = [link];
    const connections = this.places.filter((place) => place instanceof ZeroMQConnection);
    const bound = await Promise.all(connections.map((connection) => link.open(connection)));
    return bound.map(({ endpoint }) => endpoint);
  }
}

/** What a worker with these handlers tells routers of itself. */
export function announcementOf(
  options: Pick<ServiceOptions, 'handlers' | 'handleMessage' | 'contract'>,
): Announcement {
  const { handlers = {}, handleMessage, contract } = options;
  const named = [...new Set([...(contract?.eventNames ?? []), ...Object.keys(handlers)])];
  return {
    // One that handles everything, and says of nothing in particular that it does, serves what nobody else announced.
    events: handleMessage !== undefined && contract === undefined ? undefined : named,
    contract: contract === undefined ? undefined : { name: contract.name, fragment: contract.fragment() },
  };
}
