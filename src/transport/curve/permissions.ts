/** What the bearer of a key may do. */
import { isReserved } from '../../core/messages/event-name.ts';
import { PING } from '../../wire/control.ts';

/** Kinds of peers: an admin may do everything, also what the router keeps for its operators. */
export const PEER_ROLES = ['client', 'worker', 'admin'] as const;
export type PeerRole = (typeof PEER_ROLES)[number];

/** Sockets that peers connect to; a server's is a frontend. */
export type Side = 'frontend' | 'backend' | 'heartbeat';

/** What is granted. A pattern is an event name, the beginning of one and `*`, or `*` alone. */
export interface PeerGrant {
  /** For logs and refusals. */
  readonly name: string;
  readonly role: PeerRole;
  /** Events that a client may call. Default: none. */
  readonly calls?: readonly string[];
  /** Events that a worker may serve. Default: none. */
  readonly serves?: readonly string[];
  /** Path prefixes under which a worker's contract may announce operations; `/` is every path. Default: none. */
  readonly paths?: readonly string[];
}

/** Which sockets a role connects to. */
const SIDES: Readonly<Record<PeerRole, readonly Side[]>> = {
  client: ['frontend', 'heartbeat'],
  worker: ['backend', 'heartbeat'],
  admin: ['frontend', 'backend', 'heartbeat'],
};

/** Events of routers and servers themselves that every client may call: whether one is there, and what it offers. */
const OPEN = new Set([PING, '$router.contracts']);

/** Answers that are remembered for a key. */
const REMEMBERED = 4096;

/** Event names by patterns. */
class Names {
  readonly all: boolean;
  /** Those without a star. */
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

/** The rights of one key. They do not change: who gets others gets another object. */
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

  /** Whether it may send requests for an event. */
  mayCall(eventName: string): boolean {
    if (this.admin) return true;
    if (this.role !== 'client') return false;
    return isReserved(eventName) ? OPEN.has(eventName) : this.calls.has(eventName);
  }

  mayServe(eventName: string): boolean {
    return !isReserved(eventName) && (this.admin || this.serves.has(eventName));
  }

  /** Whether it may serve whatever nobody announced. */
  get servesAll(): boolean {
    return this.admin || this.serves.all;
  }

  /** Events that it may serve and that are named in full. */
  get namedEvents(): readonly string[] {
    return this.serves.exact;
  }

  /** Whether its contract may have operations under a path. */
  mayAnnounce(path: string): boolean {
    if (this.admin) return true;
    return this.paths.some((prefix) => {
      const stem = prefix.replace(/\/+$/, '');
      return path === stem || path.startsWith(`${stem}/`);
    });
  }

  /** Whether it may send heartbeats of a kind of node. */
  mayBeatAs(nodeType: string): boolean {
    return this.admin || this.role === nodeType;
  }

  /** Whether another one grants the same. */
  equals(other: PeerPermissions): boolean {
    return JSON.stringify(this.grant) === JSON.stringify(other.grant);
  }
}

/** Of somebody whose key was taken off the list. */
export function noPermissions(name: string): PeerPermissions {
  return new PeerPermissions({ name, role: 'client' });
}

/** Decides who may do what. */
export interface PeerAuthenticator {
  /**
   * The rights of whoever bears a public key; undefined: it is nobody we know, and is not let in. Called at each
   * handshake, and for those who are connected after each change.
   *
   * @param domain the `domain` of the node that asks.
   */
  rightsOf(publicKey: string, domain: string): PeerPermissions | undefined;
  /** Calls `listener` whenever somebody's rights may have changed; gives what ends that. */
  onChange(listener: () => void): () => void;
}

/** Lets everybody in who knows the server's public key, to do everything. */
export const ALL_CALLERS: PeerAuthenticator = {
  rightsOf: (publicKey) => new PeerPermissions({ name: publicKey, role: 'admin' }),
  onChange: () => () => undefined,
};
