/**
 * Connections: where a socket binds or connects, with the arguments and connection strings of the Python original.
 */
import { isIP, isIPv6 } from 'node:net';
import { isLoopback } from '../../core/identity/loopback.ts';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';

/** Transports of the framework. */
export const ZeroMQProtocol = { TCP: 'tcp', IPC: 'ipc', INPROC: 'inproc' } as const;
export type ZeroMQProtocol = (typeof ZeroMQProtocol)[keyof typeof ZeroMQProtocol];

/** A place where a socket binds or connects. */
export abstract class ZeroMQConnection {
  abstract readonly protocol: ZeroMQProtocol;
  /**
   * The endpoint in ZeroMQ's form.
   *
   * @param bind true for the side that binds, false (default) for the side that connects.
   * @throws ZeroMQConfigError when the connection cannot be used that way (connect to port 0).
   */
  abstract getConnectionString(bind?: boolean): string;

  /** The place as people know it: what clients connect to. */
  toString(): string {
    return this.getConnectionString();
  }
}

/**
 * Whatever names a place: a connection, or its URL: `tcp://host:port`, `ipc://path`, `inproc://name`. Those who connect
 * may be given a name that is looked up again and again too: `dns://name:port`, or `dns://name` for SRV records.
 */
export type ConnectionLike = ZeroMQConnection | string;

/** Options of a TCP connection. */
export interface ZeroMQTCPConnectionOptions {
  /** Interface or address to bind; `*` (all interfaces, as the original binds) is the default. */
  bindHost?: string;
}

/** TCP. Binds `tcp://<bindHost>:<port>`, connects `tcp://<host>:<port>`. */
export class ZeroMQTCPConnection extends ZeroMQConnection {
  readonly protocol = ZeroMQProtocol.TCP;
  readonly port: number;
  readonly host: string;
  readonly bindHost: string;

  /**
   * @param port 1 to 65535; 0 lets the binding side pick a free port, which `start()` tells.
   * @param host name or address to connect to; default `localhost`.
   * @throws ZeroMQConfigError naming the argument, its value and what is allowed.
   */
  constructor(port: number, host = 'localhost', options: ZeroMQTCPConnectionOptions = {}) {
    super();
    if (!Number.isInteger(port) || port < 0 || port > 65535) {
      throw new ZeroMQConfigError(`port must be a whole number from 0 to 65535, got ${String(port)}`);
    }
    this.port = port;
    this.host = checkHost('host', host, false);
    this.bindHost = checkHost('bindHost', options.bindHost ?? '*', true);
  }

  /** Whether the address is an IPv6 literal, for which sockets must allow IPv6 (ZMQ_IPV6). */
  isIPv6(bind: boolean): boolean {
    return isIPv6(bind ? this.bindHost : this.host);
  }

  getConnectionString(bind = false): string {
    if (bind) {
      // libzmq binds addresses and interfaces, not names.
      const host = this.bindHost.toLowerCase() === 'localhost' ? '127.0.0.1' : this.bindHost;
      return `tcp://${bracket(host)}:${this.port === 0 ? '*' : this.port}`;
    }
    if (this.port === 0)
      throw new ZeroMQConfigError('cannot connect to port 0: use the port that the binding side tells');
    return this.toString();
  }

  override toString(): string {
    return `tcp://${bracket(this.host)}:${this.port}`;
  }
}

/** Longest path of a Unix domain socket on Linux, in bytes, its final NUL left out. */
const MAX_IPC_PATH = 107;

/** IPC: a Unix domain socket. */
export class ZeroMQIPCConnection extends ZeroMQConnection {
  readonly protocol = ZeroMQProtocol.IPC;
  readonly ipcPath: string;

  /**
   * @param ipcPath path of the socket file, at most 107 bytes; `@name` is Linux' abstract namespace.
   * @throws ZeroMQConfigError when the path is empty, too long or holds a NUL.
   */
  constructor(ipcPath: string) {
    super();
    const length = byteLength('ipcPath', ipcPath);
    if (length === 0 || length > MAX_IPC_PATH || ipcPath.includes('\0')) {
      throw new ZeroMQConfigError(
        `ipcPath must be 1 to ${MAX_IPC_PATH} bytes without NUL, got ${length} bytes: ${JSON.stringify(ipcPath)}`,
      );
    }
    this.ipcPath = ipcPath;
  }

  getConnectionString(): string {
    return `ipc://${this.ipcPath}`;
  }
}

/** Longest INPROC name libzmq takes. */
const MAX_INPROC_NAME = 255;

/** INPROC: within one process, between its threads too. */
export class ZeroMQINPROCConnection extends ZeroMQConnection {
  readonly protocol = ZeroMQProtocol.INPROC;
  readonly inprocName: string;

  /**
   * @param inprocName 1 to 255 bytes.
   * @throws ZeroMQConfigError when the name is empty, too long or holds a NUL.
   */
  constructor(inprocName: string) {
    super();
    const length = byteLength('inprocName', inprocName);
    if (length === 0 || length > MAX_INPROC_NAME || inprocName.includes('\0')) {
      throw new ZeroMQConfigError(
        `inprocName must be 1 to ${MAX_INPROC_NAME} bytes without NUL, got ${JSON.stringify(inprocName)}`,
      );
    }
    this.inprocName = inprocName;
  }

  getConnectionString(): string {
    return `inproc://${this.inprocName}`;
  }
}

/**
 * The connection that a URL names.
 *
 * @throws ZeroMQConfigError when the value is no connection and no URL of a known transport.
 */
export function toConnection(value: ConnectionLike): ZeroMQConnection {
  if (value instanceof ZeroMQConnection) return value;
  const match = typeof value === 'string' ? /^(tcp|ipc|inproc):\/\/(.*)$/s.exec(value) : null;
  const [, scheme, rest] = match ?? [];
  if (rest === undefined) {
    const dns =
      typeof value === 'string' && value.startsWith('dns:') ? ' (a name is for those who connect)' : '';
    throw new ZeroMQConfigError(
      `a connection is tcp://host:port, ipc://path or inproc://name, got ${JSON.stringify(value)}${dns}`,
    );
  }
  if (scheme === 'ipc') return new ZeroMQIPCConnection(rest);
  if (scheme === 'inproc') return new ZeroMQINPROCConnection(rest);
  return parseTcp(value, rest);
}

function parseTcp(url: string, address: string): ZeroMQTCPConnection {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5}|\*)$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3];
  if (host === undefined || port === undefined) {
    throw new ZeroMQConfigError(
      `expected tcp://host:port, such as tcp://127.0.0.1:5555, got ${JSON.stringify(url)}`,
    );
  }
  const connectHost = host === '*' || host === '0.0.0.0' ? 'localhost' : host === '::' ? '::1' : host;
  return new ZeroMQTCPConnection(port === '*' ? 0 : Number(port), connectHost, { bindHost: host });
}

function checkHost(argument: string, host: string, wildcard: boolean): string {
  const name = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?$/i;
  if ((wildcard && host === '*') || (typeof host === 'string' && (isIP(host) !== 0 || name.test(host))))
    return host;
  throw new ZeroMQConfigError(
    `${argument} must be a host name or an IP address${wildcard ? ', or *' : ''}, got ${JSON.stringify(host)}`,
  );
}

function byteLength(argument: string, value: string): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  throw new ZeroMQConfigError(`${argument} must be a text, got ${JSON.stringify(value)}`);
}

function bracket(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

/** Whether only this machine reaches what is bound there. */
export function isLocal(connection: ZeroMQConnection): boolean {
  return !(connection instanceof ZeroMQTCPConnection) || isLoopback(connection.bindHost.toLowerCase());
}
