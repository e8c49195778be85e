/** Contracts that workers announced, as each router of a gateway tells them: routers come and go with a DNS name. */

import { ZeroMQClient } from '../../client/index.ts';
import type { Logger } from '../../core/logging/logging.ts';
import { LiveContracts } from '../../gateway/routing/live-contracts.ts';
import type { ApiRegistry } from '../../openapi/index.ts';
import type { ZeroMQConnection } from '../../transport/addressing/connection.ts';
import { Discovery, type DiscoveryOwner, type DnsOptions } from '../../transport/addressing/discovery.ts';
import { DnsTarget, toTargets } from '../../transport/addressing/targets.ts';
import type { CurveClientOptions } from '../../transport/curve/curve-options.ts';
import type { Opened } from '../nodes/serve.ts';

/** Where routers are, and how to reach them. */
interface RoutersToFollow {
  readonly routers: readonly string[];
  readonly dns: DnsOptions;
  readonly curve: CurveClientOptions | undefined;
}

/** The routers that are followed now, each with a client that leads to it alone, by where they are. */
export interface ContractFollower {
  readonly clients: ReadonlyMap<string, Pick<ZeroMQClient, 'sendMessage'>>;
  readonly contracts: Pick<LiveContracts, 'contractsOf' | 'fragment' | 'complete'>;
}

/** Asks each router by a client of its own. */
class Followers implements DiscoveryOwner {
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
 * Puts the contracts of workers behind these routers into the registry, and keeps them as they are there.
 *
 * @param client leads to all of them; where there is one, it is asked itself.
 */
export function followContracts(
  { routers, dns, curve }: RoutersToFollow,
  client: ZeroMQClient,
  registry: ApiRegistry,
  logger: Logger,
  opened: Opened,
): ContractFollower {
  const contracts = new LiveContracts(registry, logger);
  const places = toTargets(routers);
  let clients: ContractFollower['clients'];
  const [only, ...others] = places;
  if (only !== undefined && others.length === 0 && !(only instanceof DnsTarget)) {
    clients = new Map([[String(only), client]]);
    contracts.watch(client, String(only));
  } else {
    const followers = new Followers(contracts, curve, logger);
    const discovery = new Discovery(places, { dns, logger }, followers);
    discovery.start();
    opened.add(() => followers.close());
    opened.add(() => discovery.stop());
    ({ clients } = followers);
  }
  opened.add(() => contracts.close());
  return { clients, contracts };
}
