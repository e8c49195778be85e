/** Looking names up: as the system does it, or by asking one DNS server. */
import { lookup, Resolver, resolveSrv } from 'node:dns/promises';

/** A host and port that an SRV record names. Priority and weight are not looked at: all are connected. */
export interface DnsService {
  readonly name: string;
  readonly port: number;
}

/** Looks names up. Both methods reject, or give an empty list, when nothing is found. */
export interface DnsResolver {
  /** IP addresses of a host: its A records, or where there are none its AAAA records. */
  addresses(name: string): Promise<readonly string[]>;
  /** SRV records of a name. */
  services(name: string): Promise<readonly DnsService[]>;
}

/** As other programs of the machine see names: hosts file, search domains and all. SRV records are asked of DNS. */
export const systemResolver: DnsResolver = {
  async addresses(name) {
    const found = await lookup(name, { all: true });
    const family = found.some((address) => address.family === 4) ? 4 : 6;
    return found.filter((address) => address.family === family).map(({ address }) => address);
  },
  services: (name) => resolveSrv(name),
};

/** How long a DNS server has for an answer, in ms, and how often it is asked. */
const SERVER_TIMEOUT = 2000;
const SERVER_TRIES = 2;

/**
 * Asks one DNS server and nobody else.
 *
 * @param server its IP address, with a port where it is not 53: `10.0.0.10`, `127.0.0.1:5353`, `[::1]:5353`.
 * @throws TypeError when that is no such address.
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
