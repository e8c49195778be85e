/** Targets of a connecting node: connections, and names that stand for any number of them. */
import { toError, ZeroMQConfigError } from '../../core/messages/errors.ts';
import {
  type ConnectionLike,
  toConnection,
  type ZeroMQConnection,
  ZeroMQTCPConnection,
} from './connection.ts';
import { serverResolver } from './resolver.ts';

/**
 * A name that is looked up repeatedly. `dns://[SERVER/]NAME:PORT` stands for all IP addresses of
 * the host NAME. Without a port, `dns://[SERVER/]NAME` stands for the hosts and ports of its SRV
 * records.
 */
export class DnsTarget {
  private constructor(
    private readonly url: string,
    /** DNS server to query; undefined: the resolver of the system. */
    readonly server: string | undefined,
    readonly name: string,
    /** Undefined: the SRV records contain it. */
    readonly port: number | undefined,
  ) {}

  /** @throws {ZeroMQConfigError} when the value is not a valid `dns://` URL */
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
    // The connection validates host and port. An invalid server is also reported here, not at the
    // first look-up.
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
    const problem = `the DNS server in ${JSON.stringify(url)} must be an IP address, with or without a port`;
    throw new ZeroMQConfigError(`${problem}: ${toError(cause).message}`, { cause });
  }
}

/** A target of a connecting node. */
export type Target = ZeroMQConnection | DnsTarget;

/**
 * Converts a URL to a target: a connection, or a name to look up.
 *
 * @throws {ZeroMQConfigError} when the URL is invalid, or cannot be connected to
 */
export function toTarget(value: ConnectionLike): Target {
  if (typeof value === 'string' && value.startsWith('dns:')) return DnsTarget.parse(value);
  return toConnection(value);
}

/**
 * Converts a single value or a list to targets.
 *
 * @throws {ZeroMQConfigError} when a target is invalid, the list is empty, or it contains a target
 *   twice
 */
export function toTargets(value: ConnectionLike | readonly ConnectionLike[]): Target[] {
  const list = Array.isArray(value) ? (value as readonly ConnectionLike[]) : [value as ConnectionLike];
  if (list.length === 0) throw new ZeroMQConfigError('connection: expected at least one, got an empty list');
  const targets = list.map(toTarget);
  const names = targets.map(String);
  const duplicate = names.find((name, index) => names.indexOf(name) !== index);
  if (duplicate !== undefined) throw new ZeroMQConfigError(`connection: ${duplicate} is listed twice`);
  return targets;
}
