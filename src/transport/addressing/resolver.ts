/** Resolvers of names: the one of the system, and one that queries a single DNS server. */
import { lookup, Resolver, resolveSrv } from 'node:dns/promises';

/**
 * The host and port in an SRV record (RFC 2782). Priority and weight are ignored, because a node
 * connects to all of them.
 */
export interface DnsService {
  /** Name of the host. */
  readonly name: string;
  /** TCP port of the service. */
  readonly port: number;
}

/** Resolves DNS names. Both methods may reject or return an empty list if a name is not found. */
export interface DnsResolver {
  /**
   * Returns the IP addresses of a host: its A records, or its AAAA records if it has no A records.
   *
   * @param name the name of the host
   */
  addresses(name: string): Promise<readonly string[]>;
  /**
   * Returns the SRV records of a name.
   *
   * @param name the name of the service
   */
  services(name: string): Promise<readonly DnsService[]>;
}

/**
 * Resolves names like other programs on the host, with the hosts file and search domains. SRV
 * records come from DNS.
 */
export const systemResolver: DnsResolver = {
  async addresses(name) {
    const found = await lookup(name, { all: true });
    const family = found.some((address) => address.family === 4) ? 4 : 6;
    return found.filter((address) => address.family === family).map(({ address }) => address);
  },
  services: (name) => resolveSrv(name),
};

/** Timeout of a query to a DNS server, in ms, and number of attempts. */
const SERVER_TIMEOUT = 2000;
const SERVER_TRIES = 2;

/**
 * Creates a resolver that queries a single DNS server.
 *
 * @param server IP address of the server, with a port if it is not 53: `10.0.0.10`,
 *   `127.0.0.1:5353`, `[::1]:5353`
 * @throws {TypeError} when the address is invalid
 */
export function serverResolver(server: string): DnsResolver {
  const resolver = new Resolver({ timeout: SERVER_TIMEOUT, tries: SERVER_TRIES });
  resolver.setServers([server]);
  return {
    async addresses(name) {
      try {
        return await resolver.resolve4(name);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENODATA') throw error;
        return resolver.resolve6(name);
      }
    },
    services: (name) => resolver.resolveSrv(name),
  };
}
