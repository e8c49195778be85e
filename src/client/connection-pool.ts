/**
 * The connections of a client, one for each endpoint that its targets stand for. With a DNS name,
 * endpoints appear and vanish. A connection to a vanished endpoint accepts no new request, finishes
 * those in flight, and closes.
 */

import { type NodeIdentity, newSessionIdentity } from '../core/identity/identity.ts';
import type { DiagnosticsSource } from '../core/observability/diagnostics.ts';
import type { ZeroMQConnection } from '../transport/addressing/connection.ts';
import { Discovery, type DiscoveryOptions, type DiscoveryOwner } from '../transport/addressing/discovery.ts';
import { DnsTarget, type Target } from '../transport/addressing/targets.ts';
import type { CurveClient } from '../transport/curve/curve-options.ts';
import { ClassicConnection } from './classic-connection.ts';
import { ConnectionLog } from './connection-log.ts';
import { PackedConnection } from './packed-connection.ts';
import type { ClientConnection } from './pending-request.ts';
import type { RequestTable } from './request-table.ts';

/** Options of a connection pool. */
export interface ConnectionPoolOptions extends DiscoveryOptions {
  readonly places: readonly Target[];
  readonly identity: NodeIdentity;
  readonly speaker: DiagnosticsSource;
  readonly maxMessageSize: number;
  readonly curve: CurveClient | undefined;
  /**
   * Sockets for each connection to a classic router; undefined if the peer keeps frames before the
   * delimiter.
   */
  readonly poolSize: number | undefined;
}

export class ConnectionPool implements DiscoveryOwner {
  /** Connections by connection string. */
  private readonly lanes = new Map<string, readonly ClientConnection[]>();
  /** Connections that accept no new request and finish those in flight. */
  private readonly leaving = new Set<ClientConnection>();
  private readonly discovery: Discovery;
  private readonly alone: boolean;
  private readonly connections: ConnectionLog;

  constructor(
    private readonly options: ConnectionPoolOptions,
    private readonly table: RequestTable,
  ) {
    const [place, ...others] = options.places;
    this.alone = others.length === 0 && !(place instanceof DnsTarget);
    this.connections = new ConnectionLog(options.logger);
    this.discovery = new Discovery(options.places, options, this);
  }

  /** All connections, including those that drain. */
  get all(): readonly ClientConnection[] {
    return [...[...this.lanes.values()].flat(), ...this.leaving];
  }

  open(): void {
    this.discovery.start();
  }

  close(): void {
    this.discovery.stop();
    for (const lane of this.all) lane.close();
    this.lanes.clear();
    this.leaving.clear();
    this.table.use([]);
  }

  appeared(connection: ZeroMQConnection): void {
    const lanes = this.make(connection);
    this.lanes.set(connection.toString(), lanes);
    this.use();
    for (const lane of lanes) lane.open();
  }

  vanished(connection: ZeroMQConnection): void {
    const key = connection.toString();
    const lanes = this.lanes.get(key) ?? [];
    this.lanes.delete(key);
    for (const lane of lanes) this.leaving.add(lane);
    this.use();
    for (const lane of lanes) if (lane.inFlight === 0) this.idle(lane);
  }

  /** Called when a connection has no request in flight. */
  idle(lane: ClientConnection): void {
    if (this.leaving.delete(lane)) lane.close();
  }

  private use(): void {
    this.table.use([...this.lanes.values()].flat());
  }

  private make(connection: ZeroMQConnection): ClientConnection[] {
    const { identity, maxMessageSize, speaker, poolSize, curve } = this.options;
    const { nodeId } = identity;
    const common = { connection, nodeId, maxMessageSize, speaker, curve, connections: this.connections };
    if (poolSize === undefined) {
      // A router that is reached under two names must not mistake one connection for the other.
      const own = this.alone ? identity.identity : newSessionIdentity(nodeId);
      return [new PackedConnection({ ...common, identity: own }, this.table)];
    }
    return Array.from({ length: poolSize }, () => new ClassicConnection(common, this.table));
  }
}
