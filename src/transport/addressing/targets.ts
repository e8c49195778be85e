/** Where a node connects to: connections, and names that stand for any number of them. */
import { toError, ZeroMQConfigError } from '../../core/messages/errors.ts';
import {
  type ConnectionLike,
  toConnection,
  type ZeroMQConnection,
  ZeroMQTCPConnection,
} from './connection.ts';
import { serverResolver } from './resolver.ts';

/**
 * A name that is looked up again and again: `dns://[SERVER/]NAME:PORT` stands for all IP addresses of the host NAME, and
 * without a port `dns://[SERVER/]NAME` for what its SRV records say.
 */
export class DnsTarget {
  private constructor(
    private readonly url: string,
    /** DNS server to ask; undefined: as the system does. */
    readonly server: string | undefined,
    readonly name: string,
    /** Undefined: SRV records say it. */
    readonly port: number | undefined,
  ) {}

  /** @throws ZeroMQConfigError when it is no such URL. */
  static parse(url: string): DnsTarget {
    const [, server, name, port] = /^dns:\/\/(?:([^/]+)\/)?([^/:[\]]+)(?::(\d{1,5}))?$/.exec(url) ?? [];
    if (name === undefined) {
      throw new ZeroMQConfigError(
        'expected dns://name:port, dns://_service._tcp.name or dns://server/name:port, got ' +
          JSON.stringify(url),
      );
    }
    if (port !== undefined && Number(port) === 0) {
      throw new ZeroMQConfigError(`cannot connect to port 0, got ${JSON.stringify(url)}`);
    }
    // A connection checks host and port; an unusable server is told here too and not at the first look-up.
    new ZeroMQTCPConnection(Number(port ?? 1), name);
    checkServer(url, server);
    return new DnsTarget(url, server, name, port === undefined ? undefined : Number(port));
  }

  toString(): string {
    return this.url;
  }
}

function checkServer(url: string, server: string | undefined): void {
  if (server === undefined) return;
  try {
    serverResolver(server);
  } catch (cause) {
    const fault = `the DNS server in ${JSON.stringify(url)} must be an IP address, with or without a port`;
    throw new ZeroMQConfigError(`${fault}: ${toError(cause).message}`, { cause });
  }
}

/** Whatever a connecting node is told to connect to. */
export type Target = ZeroMQConnection | DnsTarget;

/**
 * The place that a URL names: a connection, or a name to look up.
 *
 * @throws ZeroMQConfigError when it names none, or none that can be connected to.
 */
export function toTarget(value: ConnectionLike): Target {
  if (typeof value === 'string' && value.startsWith('dns:')) return DnsTarget.parse(value);
  return toConnection(value);
}

/**
 * All the places that a list or a single value names.
 *
 * @throws ZeroMQConfigError when one is not usable, the list is empty, or it names a place twice.
 */
export function toTargets(value: ConnectionLike | readonly ConnectionLike[]): Target[] {
  const list = Array.isArray(value) ? (value as readonly ConnectionLike[]) : [value as ConnectionLike];
  if (list.length === 0) throw new ZeroMQConfigError('connection: at least one is needed, got an empty list');
  const places = list.map(toTarget);
  const names = places.map(String);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new ZeroMQConfigError(`connection: ${twice} is listed twice`);
  return places;
}
