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
import { ConnectionTroubles } from './connection-troubles.ts';
import { PackedConnection } from './packed-connection.ts';
import type { ClientConnection } from './pending-request.ts';
import type { RequestTable } from './request-table.ts';

/** Options of a connection pool. */
export interface ConnectionPoolOptions extends DiscoveryOptions {
  readonly targets: readonly Target[];
  readonly identity: NodeIdentity;
  readonly source: DiagnosticsSource;
  readonly maxMessageSize: number;
  readonly curve: CurveClient | undefined;
  /** Zone of the client. */
  readonly zone: string | undefined;
  /**
   * Number of sockets for each classic router; undefined if the peers keep frames before the
   * delimiter.
   */
  readonly poolSize: number | undefined;
}

export class ConnectionPool implements DiscoveryOwner {
  /** Connections by the connection string of their endpoint. */
  private readonly connections = new Map<string, readonly ClientConnection[]>();
  /** Connections that accept no new request and finish those in flight. */
  private readonly draining = new Set<ClientConnection>();
  private readonly discovery: Discovery;
  /** There has been only one connection. */
  private single: boolean;
  private readonly connectionLog: ConnectionLog;
  readonly troubles: ConnectionTroubles;

  constructor(
    private readonly options: ConnectionPoolOptions,
    private readonly table: RequestTable,
  ) {
    const [target, ...others] = options.targets;
    this.single = others.length === 0 && !(target instanceof DnsTarget);
    this.connectionLog = new ConnectionLog(options.logger);
    this.troubles = new ConnectionTroubles(options.logger, options.curve !== undefined);
    this.discovery = new Discovery(options.targets, options, this);
  }

  /** All connections, including those that drain. */
  get all(): readonly ClientConnection[] {
    return [...[...this.connections.values()].flat(), ...this.draining];
  }

  open(): void {
    this.discovery.start();
  }

  /** Replaces the targets. Connections to routers that are no longer listed drain. */
  useTargets(targets: readonly Target[]): void {
    this.single = false;
    this.discovery.useTargets(targets);
  }

  close(): void {
    this.discovery.stop();
    this.troubles.close();
    for (const each of this.all) each.close();
    this.connections.clear();
    this.draining.clear();
    this.table.useConnections([]);
  }

  appeared(connection: ZeroMQConnection): void {
    const created = this.create(connection);
    this.connections.set(connection.toString(), created);
    this.updateTable();
    const monitor = created[0]?.monitor;
    if (monitor !== undefined) this.troubles.watch(monitor, connection);
    for (const each of created) each.open();
  }

  vanished(connection: ZeroMQConnection): void {
    const key = connection.toString();
    const vanished = this.connections.get(key) ?? [];
    this.connections.delete(key);
    this.troubles.forget(connection);
    for (const each of vanished) this.draining.add(each);
    this.updateTable();
    for (const each of vanished) if (each.inFlight === 0) this.closeIfDraining(each);
  }

  /** Called when a connection has no request in flight. */
  closeIfDraining(connection: ClientConnection): void {
    if (this.draining.delete(connection)) connection.close();
  }

  private updateTable(): void {
    this.table.useConnections([...this.connections.values()].flat());
  }

  private create(connection: ZeroMQConnection): ClientConnection[] {
    const { identity, maxMessageSize, source, poolSize, curve, zone } = this.options;
    const { nodeId } = identity;
    const common = { connection, nodeId, maxMessageSize, source, curve, connectionLog: this.connectionLog };
    if (poolSize === undefined) {
      // A router that is reached under two names must not mistake one connection for the other.
      const routingId = this.single ? identity.identity : newSessionIdentity(nodeId);
      return [new PackedConnection({ ...common, zone, identity: routingId }, this.table)];
    }
    return Array.from({ length: poolSize }, () => new ClassicConnection(common, this.table));
  }
}
