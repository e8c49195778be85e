/**
 * Contracts that workers announced to each router of a gateway. DNS discovery adds and removes
 * routers at run time.
 */

import { ZeroMQClient } from '../../client/index.ts';
import type { Logger } from '../../core/logging/logging.ts';
import { LiveContracts } from '../../gateway/routing/live-contracts.ts';
import type { ApiRegistry } from '../../openapi/index.ts';
import type { ZeroMQConnection } from '../../transport/addressing/connection.ts';
import { Discovery, type DiscoveryOwner, type DnsOptions } from '../../transport/addressing/discovery.ts';
import { DnsTarget, toTargets } from '../../transport/addressing/targets.ts';
import type { CurveClientOptions } from '../../transport/curve/curve-options.ts';
import type { Resources } from '../nodes/serve.ts';

/** Addresses of the routers, and options for connecting to them. */
interface RoutersToFollow {
  readonly routers: readonly string[];
  readonly dns: DnsOptions;
  readonly curve: CurveClientOptions | undefined;
}

/** The followed routers: clients by router address, each connected to that router only. */
export interface FollowedRouters {
  readonly clients: ReadonlyMap<string, Pick<ZeroMQClient, 'sendMessage'>>;
  readonly contracts: Pick<LiveContracts, 'contractsOf' | 'fragment' | 'complete'>;
}

/** Queries each router through a client that is connected to that router only. */
class RouterFollowers implements DiscoveryOwner {
  readonly clients = new Map<string, ZeroMQClient>();

  constructor(
    private readonly contracts: LiveContracts,
    private readonly curve: CurveClientOptions | undefined,
    private readonly logger: Logger,
  ) {}

  appeared(connection: ZeroMQConnection): void {
    const { curve, logger } = this;
    const name = connection.toString();
    const client = new ZeroMQClient({ connection, curve, logger });
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
): FollowedRouters {
  const contracts = new LiveContracts(registry, logger);
  const targets = toTargets(routers);
  let clients: FollowedRouters['clients'];
  const [only, ...others] = targets;
  if (only !== undefined && others.length === 0 && !(only instanceof DnsTarget)) {
    clients = new Map([[String(only), client]]);
    contracts.watch(client, String(only));
  } else {
    const followers = new RouterFollowers(contracts, curve, logger);
    const discovery = new Discovery(targets, { dns, logger }, followers);
    discovery.start();
    resources.add(() => followers.close());
    resources.add(() => discovery.stop());
    ({ clients } = followers);
  }
  resources.add(() => contracts.close());
  return { clients, contracts };
}
