/** Permissions of the keys of peers. */
import { isReserved } from '../../core/messages/event-name.ts';
import { PING } from '../../wire/control.ts';

/** Roles of peers. An admin may do everything, including the operator events of a router. */
export const PEER_ROLES = ['client', 'worker', 'admin'] as const;
export type PeerRole = (typeof PEER_ROLES)[number];

/** Sockets that peers connect to; the socket of a server is a frontend. */
export type Side = 'frontend' | 'backend' | 'heartbeat';

/** The permissions of a key. A pattern is an event name, a prefix followed by `*`, or `*` alone. */
export interface PeerGrant {
  /** Name of the peer in logs and refusals. */
  readonly name: string;
  readonly role: PeerRole;
  /**
   * Events that a client may call.
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
 * Events of routers and servers themselves that every client may call: to probe them, and to list
 * what they serve.
 */
const OPEN = new Set([PING, '$router.contracts']);

/** Number of cached decisions per key. */
const REMEMBERED = 4096;

/** A set of event name patterns. */
class Names {
  readonly all: boolean;
  /** Patterns without an asterisk. */
  readonly exact: readonly string[];
  private readonly names: ReadonlySet<string>;
  private readonly prefixes: readonly string[];
  private readonly answers = new Map<string, boolean>();

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
    let answer = this.answers.get(name);
    if (answer === undefined) {
      answer = this.names.has(name) || this.prefixes.some((prefix) => name.startsWith(prefix));
      if (this.answers.size >= REMEMBERED) this.answers.clear();
      this.answers.set(name, answer);
    }
    return answer;
  }
}

/**
 * The permissions of one key. They are immutable: a peer whose permissions change gets another
 * object.
 */
export class PeerPermissions {
  readonly name: string;
  readonly role: PeerRole;
  private readonly admin: boolean;
  private readonly calls: Names;
  private readonly serves: Names;
  private readonly paths: readonly string[];

  constructor(private readonly grant: PeerGrant) {
    const { name, role, calls = [], serves = [], paths = [] } = grant;
    this.name = name;
    this.role = role;
    this.admin = role === 'admin';
    this.calls = new Names(role === 'client' ? calls : []);
    this.serves = new Names(role === 'worker' ? serves : []);
    this.paths = role === 'worker' ? paths : [];
  }

  mayConnect(side: Side): boolean {
    return SIDES[this.role].includes(side);
  }

  /**
   * Whether the peer may send requests for an event.
   *
   * @param eventName name of the event
   */
  mayCall(eventName: string): boolean {
    if (this.admin) return true;
    if (this.role !== 'client') return false;
    return isReserved(eventName) ? OPEN.has(eventName) : this.calls.has(eventName);
  }

  mayServe(eventName: string): boolean {
    return !isReserved(eventName) && (this.admin || this.serves.has(eventName));
  }

  /** Whether the peer may serve unannounced events. */
  get servesAll(): boolean {
    return this.admin || this.serves.all;
  }

  /** The events that the peer may serve and that its patterns name in full. */
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
      const stem = prefix.replace(/\/+$/, '');
      return path === stem || path.startsWith(`${stem}/`);
    });
  }

  /**
   * Whether the peer may send heartbeats for a type of node.
   *
   * @param nodeType the type of node
   */
  mayBeatAs(nodeType: string): boolean {
    return this.admin || this.role === nodeType;
  }

  /**
   * Whether another object grants the same permissions.
   *
   * @param other the object to compare
   */
  equals(other: PeerPermissions): boolean {
    return JSON.stringify(this.grant) === JSON.stringify(other.grant);
  }
}

/** Permissions of a peer whose key was removed from the allow list. */
export function noPermissions(name: string): PeerPermissions {
  return new PeerPermissions({ name, role: 'client' });
}

/** Decides which peers may connect, and what they may do. */
export interface PeerAuthenticator {
  /**
   * Returns the permissions of a public key, or undefined to reject the peer. Called at each
   * handshake, and for all connected peers after each change.
   *
   * @param publicKey 40 characters of Z85
   * @param domain the `domain` of the node to which the peer connects
   */
  rightsOf(publicKey: string, domain: string): PeerPermissions | undefined;
  /**
   * Calls `listener` whenever permissions may have changed.
   *
   * @param listener called without arguments
   * @returns a function that removes the listener
   */
  onChange(listener: () => void): () => void;
}

/** Admits every peer that knows the server's public key, with all permissions. */
export const ALL_CALLERS: PeerAuthenticator = {
  rightsOf: (publicKey) => new PeerPermissions({ name: publicKey, role: 'admin' }),
  onChange: () => () => undefined,
};
