/**
 * addressing: where a socket binds or connects, and the addresses behind a name.
 *
 * Connections: addresses where a socket binds or connects, with the arguments and connection
 * strings of the original.
 */
import { isIP, isIPv6 } from 'node:net';
import { isLoopback } from '../../core/identity/loopback.ts';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';

/** Transports that connections use. */
export const ZeroMQProtocol = { TCP: 'tcp', IPC: 'ipc', INPROC: 'inproc' } as const;

/** A transport: a value of {@link ZeroMQProtocol}. */
export type ZeroMQProtocol = (typeof ZeroMQProtocol)[keyof typeof ZeroMQProtocol];

/**
 * An address where a socket binds or connects.
 *
 * @example
 * ```ts
 * const connection: ZeroMQConnection = new ZeroMQTCPConnection(5555, 'router.internal');
 * connection.getConnectionString(); // 'tcp://router.internal:5555'
 * ```
 */
export abstract class ZeroMQConnection {
  /** Transport of the connection. */
  abstract readonly protocol: ZeroMQProtocol;
  /**
   * Returns the endpoint in the form of ZeroMQ.
   *
   * @param bind true for the side that binds, false (default) for the side that connects
   * @returns the endpoint, such as `tcp://localhost:5555`
   * @throws {ZeroMQConfigError} when the connection cannot be used that way, such as connecting to
   *   port 0
   */
  abstract getConnectionString(bind?: boolean): string;

  /**
   * Returns the endpoint for the side that connects.
   *
   * @throws {ZeroMQConfigError} when it is not possible to connect to the address
   */
  toString(): string {
    return this.getConnectionString();
  }
}

/**
 * A connection or its URL: `tcp://host:port`, `ipc://path`, `inproc://name`. A connecting node also
 * accepts a DNS name that it looks up repeatedly: `dns://name:port`, or `dns://name` for SRV
 * records.
 */
export type ConnectionLike = ZeroMQConnection | string;

/** Options of {@link ZeroMQTCPConnection}. */
export interface ZeroMQTCPConnectionOptions {
  /**
   * Interface or address to bind. The original binds all interfaces too.
   *
   * @defaultValue `'*'`, all interfaces
   */
  bindHost?: string;
}

/**
 * A TCP connection. It binds `tcp://<bindHost>:<port>` and connects to `tcp://<host>:<port>`.
 *
 * @example
 * ```ts
 * const connection = new ZeroMQTCPConnection(5555, 'router.internal');
 * ```
 */
export class ZeroMQTCPConnection extends ZeroMQConnection {
  /** Transport of the connection: `tcp`. */
  readonly protocol = ZeroMQProtocol.TCP;
  /** Port to bind or to connect to; 0 lets the binding side choose one. */
  readonly port: number;
  /** Host name or IP address to connect to. */
  readonly host: string;
  /** Interface or address to bind; `*` for all interfaces. */
  readonly bindHost: string;

  /**
   * Creates a TCP connection.
   *
   * @param port 1 to 65535; 0 lets the binding side choose a free port, which `start()` returns
   * @param host name or address to connect to; default: `localhost`
   * @param options {@link ZeroMQTCPConnectionOptions}
   * @throws {ZeroMQConfigError} when an argument is invalid; the message names it, its value and
   *   the valid range
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

  /**
   * Whether the address is an IPv6 literal, which requires sockets with ZMQ_IPV6.
   *
   * @param bind true for the side that binds
   * @internal
   */
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
      throw new ZeroMQConfigError(
        'cannot connect to port 0: use the port that start() of the binding node returned',
      );
    return this.toString();
  }

  override toString(): string {
    return `tcp://${bracket(this.host)}:${this.port}`;
  }
}

/** Maximum length of the path of a Unix domain socket on Linux, in bytes, without its final NUL. */
const MAX_IPC_PATH = 107;

/**
 * An IPC connection: a Unix domain socket.
 *
 * @example
 * ```ts
 * const connection = new ZeroMQIPCConnection('/run/app/router.sock');
 * ```
 */
export class ZeroMQIPCConnection extends ZeroMQConnection {
  /** Transport of the connection: `ipc`. */
  readonly protocol = ZeroMQProtocol.IPC;
  /** Path of the socket file, or `@name` in the abstract namespace of Linux. */
  readonly ipcPath: string;

  /**
   * Creates an IPC connection.
   *
   * @param ipcPath path of the socket file, at most 107 bytes; `@name` is in the abstract namespace
   *   of Linux
   * @throws {ZeroMQConfigError} when the path is empty, too long or contains a NUL
   */
  constructor(ipcPath: string) {
    super();
    this.ipcPath = checkName('ipcPath', ipcPath, MAX_IPC_PATH);
  }

  /** Returns the endpoint in the form of ZeroMQ. */
  getConnectionString(): string {
    return `ipc://${this.ipcPath}`;
  }
}

/** Maximum length of an INPROC name in libzmq. */
const MAX_INPROC_NAME = 255;

/**
 * An INPROC connection: within one process, also between its threads.
 *
 * @example
 * ```ts
 * const connection = new ZeroMQINPROCConnection('router');
 * ```
 */
export class ZeroMQINPROCConnection extends ZeroMQConnection {
  /** Transport of the connection: `inproc`. */
  readonly protocol = ZeroMQProtocol.INPROC;
  /** Name of the endpoint, unique in the process. */
  readonly inprocName: string;

  /**
   * Creates an INPROC connection.
   *
   * @param inprocName 1 to 255 bytes
   * @throws {ZeroMQConfigError} when the name is empty, too long or contains a NUL
   */
  constructor(inprocName: string) {
    super();
    this.inprocName = checkName('inprocName', inprocName, MAX_INPROC_NAME);
  }

  /** Returns the endpoint in the form of ZeroMQ. */
  getConnectionString(): string {
    return `inproc://${this.inprocName}`;
  }
}

/**
 * Converts a URL to a connection.
 *
 * @throws {ZeroMQConfigError} when the value is neither a connection nor a URL of a known transport
 */
export function toConnection(value: ConnectionLike): ZeroMQConnection {
  if (value instanceof ZeroMQConnection) return value;
  const match = typeof value === 'string' ? /^(tcp|ipc|inproc):\/\/(.*)$/s.exec(value) : null;
  const [, scheme, rest] = match ?? [];
  if (rest === undefined) {
    const dns =
      typeof value === 'string' && value.startsWith('dns:')
        ? ' (only a connecting node accepts a DNS name)'
        : '';
    throw new ZeroMQConfigError(
      `a connection must be tcp://host:port, ipc://path or inproc://name, got ${JSON.stringify(value)}${dns}`,
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

/** Validates the path or name of an endpoint, and returns it. */
function checkName(argument: string, value: string, maxBytes: number): string {
  if (typeof value !== 'string') {
    throw new ZeroMQConfigError(`${argument} must be a string, got ${JSON.stringify(value)}`);
  }
  const length = Buffer.byteLength(value);
  if (length > 0 && length <= maxBytes && !value.includes('\0')) return value;
  throw new ZeroMQConfigError(
    `${argument} must be 1 to ${maxBytes} bytes without NUL, got ${length} bytes: ${JSON.stringify(value)}`,
  );
}

function bracket(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

/** Whether only this host can reach the address when it is bound. */
export function isLocal(connection: ZeroMQConnection): boolean {
  return !(connection instanceof ZeroMQTCPConnection) || isLoopback(connection.bindHost.toLowerCase());
}
