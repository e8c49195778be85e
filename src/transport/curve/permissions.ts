/** Permissions of the keys of peers. */
import { isReserved } from '../../core/messages/event-name.ts';
import { PING } from '../../wire/control.ts';

/** Roles of peers. */
export const PEER_ROLES = ['client', 'worker', 'admin'] as const;

/**
 * What a peer may be: a `client`, a `worker`, or an `admin`. An admin has all permissions, including
 * the operator events of a router.
 */
export type PeerRole = (typeof PEER_ROLES)[number];

/** Sockets that peers connect to; the socket of a server is a frontend. */
export type Side = 'frontend' | 'backend' | 'heartbeat';

/** The permissions of a key. A pattern is an event name, a prefix followed by `*`, or `*` alone. */
export interface PeerGrant {
  /** Name of the peer in logs and error messages. */
  readonly name: string;
  /** Determines the sockets to which the peer may connect, and which of the lists below apply. */
  readonly role: PeerRole;
  /**
   * Events that a client may call, or the handlers of a worker (`call` of {@link HandlerContext}).
   *
   * @defaultValue none
   */
  readonly calls?: readonly string[];
  /**
   * Events that a worker may serve.
   *
   * @defaultValue none
   */
  readonly serves?: readonly string[];
  /**
   * Path prefixes under which the contract of a worker may announce operations; `/` matches every
   * path.
   *
   * @defaultValue none
   */
  readonly paths?: readonly string[];
}

/** Sockets to which each role may connect. */
const SIDES: Readonly<Record<PeerRole, readonly Side[]>> = {
  client: ['frontend', 'heartbeat'],
  worker: ['backend', 'heartbeat'],
  admin: ['frontend', 'backend', 'heartbeat'],
};

/**
 * Built-in events that every client may call. They probe a router or server, and list the contracts
 * of a router.
 */
const PUBLIC_EVENTS = new Set([PING, '$router.contracts']);

/** Maximum number of cached decisions per key. */
const MAX_CACHED = 4096;

/** A set of event name patterns. */
class EventPatterns {
  readonly all: boolean;
  /** Patterns without an asterisk. */
  readonly exact: readonly string[];
  private readonly names: ReadonlySet<string>;
  private readonly prefixes: readonly string[];
  private readonly decisions = new Map<string, boolean>();

  constructor(patterns: readonly string[]) {
    this.all = patterns.includes('*');
    this.exact = patterns.filter((pattern) => !pattern.endsWith('*'));
    this.names = new Set(this.exact);
    this.prefixes = patterns
      .filter((pattern) => pattern.endsWith('*'))
      .map((pattern) => pattern.slice(0, -1));
  }

  has(name: string): boolean {
    if (this.all) return true;
    let decision = this.decisions.get(name);
    if (decision === undefined) {
      decision = this.names.has(name) || this.prefixes.some((prefix) => name.startsWith(prefix));
      if (this.decisions.size >= MAX_CACHED) this.decisions.clear();
      this.decisions.set(name, decision);
    }
    return decision;
  }
}

/**
 * The permissions of one key. Immutable: when the permissions of a peer change, it gets another
 * object.
 *
 * @example
 * ```ts
 * const permissions = new PeerPermissions({ name: 'gateway', role: 'client', calls: ['tasks.*'] });
 * permissions.mayCall('tasks.get'); // true
 * ```
 */
export class PeerPermissions {
  /** Name of the peer in logs and error messages. */
  readonly name: string;
  /** Role of the peer. */
  readonly role: PeerRole;
  private readonly admin: boolean;
  private readonly calls: EventPatterns;
  private readonly serves: EventPatterns;
  private readonly paths: readonly string[];

  /**
   * Creates the permissions of a key.
   *
   * @param grant the entry of the key
   */
  constructor(private readonly grant: PeerGrant) {
    const { name, role, calls = [], serves = [], paths = [] } = grant;
    this.name = name;
    this.role = role;
    this.admin = role === 'admin';
    this.calls = new EventPatterns(calls);
    this.serves = new EventPatterns(role === 'worker' ? serves : []);
    this.paths = role === 'worker' ? paths : [];
  }

  /**
   * Whether the peer may connect to a socket.
   *
   * @param side the socket; the socket of a server is a frontend
   */
  mayConnect(side: Side): boolean {
    return SIDES[this.role].includes(side);
  }

  /**
   * Whether the peer may send requests for an event: a client on the frontend, a worker on the
   * backend.
   *
   * @param eventName name of the event
   */
  mayCall(eventName: string): boolean {
    if (this.admin) return true;
    if (!isReserved(eventName)) return this.calls.has(eventName);
    return this.role === 'client' && PUBLIC_EVENTS.has(eventName);
  }

  /**
   * Whether the peer may announce an event and serve its requests.
   *
   * @param eventName name of the event
   */
  mayServe(eventName: string): boolean {
    return !isReserved(eventName) && (this.admin || this.serves.has(eventName));
  }

  /** Whether the peer may serve unannounced events. */
  get mayServeUnannounced(): boolean {
    return this.admin || this.serves.all;
  }

  /** The events that the peer may serve according to entries without an asterisk. */
  get namedEvents(): readonly string[] {
    return this.serves.exact;
  }

  /**
   * Whether the peer's contract may announce operations under a path.
   *
   * @param path the path of the operation
   */
  mayAnnounce(path: string): boolean {
    if (this.admin) return true;
    return this.paths.some((prefix) => {
      const base = prefix.replace(/\/+$/, '');
      return path === base || path.startsWith(`${base}/`);
    });
  }

  /**
   * Whether the peer may send heartbeats for a type of node.
   *
   * @param nodeType the type of node
   */
  maySendHeartbeatsAs(nodeType: string): boolean {
    return this.admin || this.role === nodeType;
  }

  /**
   * Whether another object grants the same permissions.
   *
   * @param other the object to compare
   * @internal
   */
  equals(other: PeerPermissions): boolean {
    return JSON.stringify(this.grant) === JSON.stringify(other.grant);
  }
}

/** Permissions of a peer whose key was removed from the allow list. */
export function noPermissions(name: string): PeerPermissions {
  return new PeerPermissions({ name, role: 'client' });
}

/** Decides which peers may connect, and their permissions. {@link AllowList} implements it. */
export interface PeerAuthenticator {
  /**
   * Returns the permissions of a public key, or undefined to reject the peer. Called at each
   * handshake, and for all connected peers after each change.
   *
   * @param publicKey 40 characters of Z85
   * @param domain the `domain` of the node to which the peer connects
   */
  permissionsOf(publicKey: string, domain: string): PeerPermissions | undefined;
  /**
   * Calls `listener` whenever permissions may have changed.
   *
   * @param listener called without arguments
   * @returns a function that removes the listener
   */
  onChange(listener: () => void): () => void;
}

/** Admits every peer that knows the server's public key, with all permissions. */
export const ALLOW_ALL: PeerAuthenticator = {
  permissionsOf: (publicKey) => new PeerPermissions({ name: publicKey, role: 'admin' }),
  onChange: () => () => undefined,
};
