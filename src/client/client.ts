/**
 * client: `ZeroMQClient` is the public class, `RequestTable` keeps the requests, and the connections
 * own the sockets.
 */

import { Emitter } from '../core/collections/emitter.ts';
import { loadIdentity, type NodeIdentity } from '../core/identity/identity.ts';
import { checkZone } from '../core/identity/zone.ts';
import { jsonReader, type ReadJson } from '../core/json/large-integers.ts';
import { defaultLogger, type Logger } from '../core/logging/logging.ts';
import { checkCount } from '../core/messages/checks.ts';
import { toError, ZeroMQConnectionError, ZeroMQError, ZeroMQSocketClosed } from '../core/messages/errors.ts';
import type { InFlight, OutgoingRequest, ReplyMessage, Requester } from '../core/messages/message.ts';
import { withProgress } from '../core/messages/progress.ts';
import type { ClientSendOptions } from '../core/messages/send-options.ts';
import { diagnostics } from '../core/observability/diagnostics.ts';
import { Lifecycle } from '../core/observability/lifecycle.ts';
import { ZeroMQHeartbeatSender } from '../liveness/index.ts';
import type { StreamSendOptions } from '../streams/receive-stream.ts';
import type { ZeroMQStream } from '../streams/zeromq-stream.ts';
import { checkDns } from '../transport/addressing/discovery.ts';
import { type Target, toTargets } from '../transport/addressing/targets.ts';
import { CurveClient } from '../transport/curve/curve-options.ts';
import type { ZeroMQSocketMonitor } from '../transport/libzmq/socket-monitor.ts';
import type { EventSender, ZeroMQReply } from '../wire/incoming.ts';
import { MAX_MESSAGE_BYTES } from '../wire/limits.ts';
import { toMessage } from '../wire/outgoing.ts';
import { checkTimeout, checkWait, MAX_TIMEOUT } from './arguments.ts';
import type { ZeroMQClientOptions } from './client-options.ts';
import { ClientRequest } from './client-request.ts';
import { ConnectionPool } from './connection-pool.ts';
import { openStream } from './open-stream.ts';
import type { ClientConnection } from './pending-request.ts';
import { RequestTable } from './request-table.ts';
import { DEFAULT_TIMEOUT, send } from './send.ts';

interface ClientEvents {
  /** Emitted when the first connection is established. */
  connected: [];
  /** Emitted when the last connection is lost. */
  disconnected: [];
}

/**
 * Sends events to routers or servers and returns their replies, any number at a time.
 *
 * @example
 * ```ts
 * const client = new ZeroMQClient({ connection: 'tcp://localhost:5555' });
 * const { eventData } = await client.sendMessage('tasks.get', { id: 7 });
 * ```
 */
export class ZeroMQClient extends Emitter<ClientEvents> implements Requester, EventSender, AsyncDisposable {
  private targets: readonly Target[];
  private readonly options: ZeroMQClientOptions;
  private readonly timeout: number;
  private readonly readJson: ReadJson;
  private readonly maxMessageSize: number;
  private readonly table: RequestTable;
  private readonly lifecycle: Lifecycle;
  private readonly source: { readonly kind: 'client'; node: string } = { kind: 'client', node: 'client' };
  private readonly logger: Logger;
  private readonly curve: CurveClient | undefined;
  private self: NodeIdentity | undefined;
  private pool: ConnectionPool | undefined;
  private heartbeats: ZeroMQHeartbeatSender | undefined;
  private wasConnected = false;
  private readonly connecting = new Set<() => void>();

  /**
   * Creates a client. It opens no socket before `connect()` or the first request.
   * @throws {ZeroMQConfigError} when an option is invalid; the message names the option
   */
  constructor(options: ZeroMQClientOptions) {
    super();
    const {
      timeout = DEFAULT_TIMEOUT,
      connectTimeout = 2000,
      maxInFlight = 10_000,
      maxMessageSize = MAX_MESSAGE_BYTES,
      streamIdleTimeout = 30_000,
    } = options;
    this.options = { ...options, curve: undefined };
    this.curve = options.curve && new CurveClient(options.curve);
    this.targets = toTargets(options.connection);
    checkDns(options.dns);
    this.timeout = checkTimeout(timeout, this.options.allowShortDurations);
    this.readJson = jsonReader(options.largeIntegers);
    this.maxMessageSize = checkCount('maxMessageSize', maxMessageSize);
    checkCount('poolSize', options.poolSize ?? 1);
    checkZone(options.zone);
    checkCount('maxInFlight', maxInFlight);
    checkWait('connectTimeout', connectTimeout, options.allowShortDurations);
    checkWait('streamIdleTimeout', streamIdleTimeout, options.allowShortDurations);
    this.logger = (options.logger ?? defaultLogger()).child({ node: 'client' });
    const drop = (cause: Parameters<typeof diagnostics.frameDropped.publish>[0]['cause']): void => {
      if (diagnostics.frameDropped.hasSubscribers)
        diagnostics.frameDropped.publish({ ...this.source, cause });
    };
    const endpoints = (): string => this.endpoints;
    const onIdle = (connection: ClientConnection): void => this.pool?.closeIfDraining(connection);
    const limits = { connectTimeout, maxInFlight, streamIdleTimeout };
    this.table = new RequestTable({ ...limits, endpoints, onIdle, drop }, () => this.connectionChanged());
    this.lifecycle = new Lifecycle(this.source, {
      logger: this.logger,
      open: () => this.open(),
      drain: () => Promise.resolve(),
      release: (error) => this.release(error),
    });
  }

  /**
   * The node id, session id and socket identity.
   * @throws {ZeroMQError} `NOT_STARTED` before `connect()`
   */
  get identity(): NodeIdentity {
    if (this.self === undefined) throw new ZeroMQError('NOT_STARTED', 'the client is not connected yet');
    return this.self;
  }

  /** The endpoints, and why they are not connected. */
  private get endpoints(): string {
    return `${this.targets.join(', ')}${this.pool?.troubles.toString() ?? ''}`;
  }

  /** Whether at least one router or server is connected. */
  get reachable(): boolean {
    return this.table.connected;
  }

  /** The number of requests in flight. */
  get inFlight(): number {
    return this.table.size;
  }

  /** The monitors of the open sockets: one per connection, or per socket of a pool. */
  get monitors(): readonly ZeroMQSocketMonitor[] {
    return this.pool?.all.flatMap(({ monitor }) => monitor ?? []) ?? [];
  }

  /**
   * Opens the sockets, which keep connecting in the background, and waits for a connection.
   * @param options `timeout`: wait in ms (default: 2,000); `throwOnFailure`: throw (default: false)
   * @returns whether a connection is established
   * @throws {ZeroMQConfigError} when the timeout is invalid
   * @throws {ZeroMQConnectionError} when none is established in time and `throwOnFailure` is set
   * @throws {ZeroMQSocketClosed} `CLOSED` after `close()`
   */
  async connect(options: { timeout?: number; throwOnFailure?: boolean } = {}): Promise<boolean> {
    const { timeout = 2000, throwOnFailure = false } = options;
    checkWait('timeout', timeout, this.options.allowShortDurations);
    await this.lifecycle.start();
    if (this.reachable || (await this.firstConnection(timeout))) return true;
    if (!throwOnFailure) return false;
    throw new ZeroMQConnectionError(
      'NO_ROUTER',
      `no router or server answered within ${timeout} ms at ${this.endpoints}`,
    );
  }

  /**
   * Sends an event and resolves with the reply.
   * @param eventName 1 to 1,024 bytes of UTF-8
   * @param eventData any JSON value; undefined is sent as null, a bigint with all its digits
   * @throws {ZeroMQTimeoutError} `TIMEOUT`, `EXPIRED` when the deadline passed
   * @throws {ZeroMQConnectionError} `NO_ROUTER`, `NO_WORKER`, `QUEUE_FULL`, `BUSY`,
   *   `SHUTTING_DOWN`, `WORKER_LOST` when the request could not be delivered or its worker was lost
   * @throws {ZeroMQSocketDisconnected} `WORKER_LOST`, `NO_ROUTER` when the connection was lost
   * @throws {ZeroMQClientError} for other outcomes of docs/errors.md, and the code of a `ReplyError`
   * @throws {ZeroMQConfigError} when an argument is invalid
   * @throws {ZeroMQSocketClosed} after `close()`
   */
  async sendMessage<Data = unknown>(
    eventName: string,
    eventData?: unknown,
    options: ClientSendOptions = {},
  ): Promise<ZeroMQReply<Data>> {
    const { timeout, readJson } = this;
    const { allowShortDurations } = this.options;
    return send<Data>(this, eventName, eventData, options, { timeout, readJson, allowShortDurations });
  }

  /**
   * Sends an event and resolves with its reply as a stream, once the first chunk has arrived. A
   * reply that the handler does not stream is a stream of one item.
   *
   * @typeParam Item type of the items of the stream.
   * @param eventName name of the event.
   * @param eventData any JSON value.
   * @param options options of the request; `timeout` is the time to the first chunk.
   * @throws {ZeroMQConfigError} when an argument is invalid
   * @throws {ZeroMQError} of the class that the code of a failure before the first chunk maps to
   * @example
   * ```ts
   * const stream = await client.stream('files.get', { name: 'a.bin' });
   * for await (const bytes of stream.bytes()) console.log(bytes.length);
   * ```
   */
  stream<Item = unknown>(
    eventName: string,
    eventData: unknown = null,
    options: StreamSendOptions = {},
  ): Promise<ZeroMQStream<Item>> {
    const { timeout, readJson, maxMessageSize } = this;
    const { allowShortDurations } = this.options;
    const defaults = { timeout, readJson, maxMessageSize, allowShortDurations };
    return openStream<Item>(this, eventName, eventData, options, defaults);
  }

  /**
   * Sends a request; see {@link Requester}. Opens the sockets if `connect()` has not been called.
   * @param settle called once with the outcome, unless the request is cancelled
   * @throws {ZeroMQConfigError} when the request cannot be encoded
   * @throws {ZeroMQSocketClosed} `CLOSED` after `close()`
   */
  request(request: OutgoingRequest, settle: (reply: ReplyMessage) => void): InFlight {
    if (this.lifecycle.state === 'idle') this.startInBackground();
    const { state } = this.lifecycle;
    if (state === 'closed' || state === 'draining')
      throw new ZeroMQSocketClosed('CLOSED', 'the client is closed; create a new one');
    const { table } = this;
    const message = toMessage(request, this.maxMessageSize);
    const { timeout, stream, onProgress } = request;
    const pending = table.add(message, timeout, withProgress(settle, onProgress), stream);
    return new ClientRequest(table, pending);
  }

  /**
   * Replaces routers, servers or CURVE keys while the client runs. A connection to a router that is no
   * longer listed accepts no new request, finishes those in flight, and closes. Established
   * connections keep their keys; later ones use the new keys.
   *
   * @param changes `connection` and `curve` as for the constructor; one that is missing does not change.
   * @throws {ZeroMQConfigError} when a value is invalid, or `curve` is given to a client that was
   *   created without; nothing is changed then.
   * @example
   * ```ts
   * client.update({ connection: ['tcp://router-1:5555', 'tcp://router-3:5555'] });
   * ```
   */
  update({ connection, curve }: Partial<Pick<ZeroMQClientOptions, 'connection' | 'curve'>>): void {
    const targets = connection === undefined ? this.targets : toTargets(connection);
    if (curve !== undefined) CurveClient.update(this.curve, curve);
    if (connection === undefined) return;
    this.targets = targets;
    this.pool?.useTargets(targets);
  }

  /** Closes the sockets. Requests in flight are rejected with `CANCELLED`. Idempotent. */
  close(): Promise<void> {
    return this.lifecycle.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async open(): Promise<void> {
    this.self = await loadIdentity(this.options.configFile, 'client');
    this.source.node = this.self.identity;
    this.pool = this.createPool(this.self);
    this.pool.open();
    const { heartbeatConfig } = this.options;
    if (heartbeatConfig !== undefined) {
      this.heartbeats = new ZeroMQHeartbeatSender({
        config: heartbeatConfig,
        identity: this.self,
        nodeType: 'client',
        source: this.source,
        curve: this.curve,
        dns: this.options.dns,
        logger: this.logger,
      });
      this.heartbeats.start();
    }
  }

  private createPool(identity: NodeIdentity): ConnectionPool {
    const { targets, maxMessageSize, table, source, logger, curve } = this;
    const { dns, classic = false, poolSize = 16, zone } = this.options;
    const classicPoolSize = classic ? poolSize : undefined;
    return new ConnectionPool(
      { targets, dns, logger, identity, source, maxMessageSize, poolSize: classicPoolSize, curve, zone },
      table,
    );
  }

  private release(error: Error | undefined): void {
    this.table.close(
      error === undefined ? 'the client was closed' : `the client failed: ${toError(error).message}`,
    );
    this.heartbeats?.stop();
    this.pool?.close();
    for (const done of this.connecting) done();
  }

  private startInBackground(): void {
    this.lifecycle.start().catch((error: unknown) => {
      this.logger.error({ err: error }, 'cannot start the client');
    });
  }

  private connectionChanged(): void {
    const { reachable } = this;
    if (reachable === this.wasConnected) return;
    this.wasConnected = reachable;
    if (reachable) for (const done of this.connecting) done();
    this.notify(reachable ? 'connected' : 'disconnected');
  }

  private firstConnection(timeout: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.connecting.delete(done);
        resolve(this.reachable);
      };
      const timer = setTimeout(done, Math.min(timeout, MAX_TIMEOUT));
      this.connecting.add(done);
    });
  }
}
