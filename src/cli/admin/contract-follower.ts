/**
 * Contracts that workers announced to each router of a gateway. DNS discovery adds and removes
 * routers at run time.
 */

import { ZeroMQClient } from '../../client/index.ts';
import { type Logger, silentLogger } from '../../core/logging/logging.ts';
import { LiveContracts } from '../../gateway/routing/live-contracts.ts';
import type { ApiRegistry } from '../../openapi/index.ts';
import type { ZeroMQConnection } from '../../transport/addressing/connection.ts';
import { Discovery, type DiscoveryOwner, type DnsOptions } from '../../transport/addressing/discovery.ts';
import { DnsTarget, type Target, toTargets } from '../../transport/addressing/targets.ts';
import type { CurveClientOptions } from '../../transport/curve/curve-options.ts';
import type { ChangedConnections } from '../nodes/connection-reload.ts';
import type { Resources } from '../nodes/serve.ts';

/** Addresses of the routers, and options for connecting to them. */
interface RoutersToFollow {
  readonly routers: readonly string[];
  readonly dns: DnsOptions;
  readonly curve: CurveClientOptions | undefined;
}

/** The followed routers: clients by router address, each connected to that router only. */
export interface FollowedRouters {
  /** Clients by router; the map is replaced when the routers change. */
  readonly clients: ReadonlyMap<string, Pick<ZeroMQClient, 'sendMessage'>>;
  readonly contracts: Pick<LiveContracts, 'contractsOf' | 'fragment' | 'complete'>;
}

/** Queries each router through a client that is connected to that router only. */
class RouterFollowers implements DiscoveryOwner {
  readonly clients = new Map<string, ZeroMQClient>();

  constructor(
    private readonly contracts: LiveContracts,
    private curve: CurveClientOptions | undefined,
  ) {}

  /** Uses other keys for connections. */
  useKeys(curve: CurveClientOptions): void {
    this.curve = curve;
    for (const client of this.clients.values()) client.update({ curve });
  }

  appeared(connection: ZeroMQConnection): void {
    const { curve } = this;
    const name = connection.toString();
    const client = new ZeroMQClient({
      connection,
      curve,
      logger: silentLogger, // the client of the gateway logs the connections to the same routers
    });
    this.clients.set(name, client);
    this.contracts.watch(client, name);
  }

  vanished(connection: ZeroMQConnection): void {
    const name = connection.toString();
    this.contracts.forget(name);
    void this.clients.get(name)?.close();
    this.clients.delete(name);
  }

  async close(): Promise<void> {
    await Promise.all([...this.clients.values()].map((client) => client.close()));
  }
}

/**
 * Adds the contracts of the workers behind these routers to the registry and keeps them up to date.
 *
 * @param client client connected to all routers. If there is exactly one router, this client queries
 * it.
 */
export function followContracts(
  { routers, dns, curve }: RoutersToFollow,
  client: ZeroMQClient,
  registry: ApiRegistry,
  logger: Logger,
  resources: Resources,
): FollowedRouters & { update(changed: ChangedConnections): void } {
  const contracts = new LiveContracts(registry, logger);
  const followers = new RouterFollowers(contracts, curve);
  let discovery: Discovery | undefined;
  const discover = (targets: readonly Target[]): void => {
    discovery = new Discovery(targets, { dns, logger }, followers);
    discovery.start();
    resources.add(() => followers.close());
    resources.add(() => discovery?.stop());
  };
  const targets = toTargets(routers);
  const [first] = targets;
  const only = targets.length > 1 || first instanceof DnsTarget ? undefined : String(first);
  if (only === undefined) discover(targets);
  else contracts.watch(client, only);
  resources.add(() => contracts.close());
  return {
    contracts,
    get clients() {
      return discovery === undefined && only !== undefined ? new Map([[only, client]]) : followers.clients;
    },
    update: ({ connection, curve: keys }) => {
      if (keys !== undefined) followers.useKeys(keys);
      const next = toTargets(connection);
      if (discovery !== undefined) return discovery.useTargets(next);
      if (only === undefined || (next.length === 1 && String(next[0]) === only)) return;
      discover(next);
      if (!next.some((target) => String(target) === only)) contracts.forget(only);
    },
  };
}
