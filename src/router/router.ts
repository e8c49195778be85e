/**
 * The router: `ZeroMQRouter` is the public class. `Broker` decides without I/O, `RoutedSockets`
 * exchange messages with clients and workers, and a strategy chooses among workers.
 */
import { Emitter } from '../core/collections/emitter.ts';
import { loadIdentity, type NodeIdentity } from '../core/identity/identity.ts';
import { defaultLogger, type Logger } from '../core/logging/logging.ts';
import type { EmbeddedRouter, EmbeddedSlot, EmbeddedWorker } from '../core/messages/embedded.ts';
import { ZeroMQError } from '../core/messages/errors.ts';
import type { InFlight, OutgoingRequest, Requester, Settle } from '../core/messages/message.ts';
import type { LeaveReason } from '../core/observability/diagnostics.ts';
import { Lifecycle } from '../core/observability/lifecycle.ts';
import type { ContractReport, RouterConsole, RouterReport } from '../core/observability/reports.ts';
import { type RequestReport, RequestStats } from '../core/observability/request-stats.ts';
import { systemClock } from '../core/time/clock.ts';
import { ZeroMQHeartbeatReceiver } from '../liveness/index.ts';
import { isLocal, toConnection, type ZeroMQConnection } from '../transport/addressing/connection.ts';
import type { ZeroMQSocketMonitor } from '../transport/libzmq/socket-monitor.ts';
import { turnNow } from '../transport/link/turn.ts';
import type { BackendOwner } from './backend/backend.ts';
import { AnnouncedContracts } from './backend/contracts.ts';
import type { JoinedPeer } from './backend/worker-registry.ts';
import { Broker } from './broker/broker.ts';
import { BrokerTimer } from './broker/broker-timer.ts';
import type { RouterNotice } from './broker/limits.ts';
import { RouterObserver } from './broker/observer.ts';
import { eventReports, workerReports } from './broker/report.ts';
import type { RouterStats } from './broker/stats.ts';
import { EmbeddedNodes } from './embedded-nodes.ts';
import { BuiltinEvents } from './frontend/builtin-events.ts';
import type { ClientHandlerOwner } from './frontend/client-handler.ts';
import { BlindProxy } from './proxy.ts';
import { publishBound, publishJoined, publishLeft, publishNotice } from './router-events.ts';
import {
  type RouterEndpoints,
  type RouterEvents,
  type SocketSettings,
  socketSettings,
  type WorkerDetails,
  type ZeroMQRouterOptions,
} from './router-options.ts';
import { drained, RoutedSockets, type RouterSockets } from './sockets.ts';
import { STRATEGIES } from './strategies/index.ts';
import { withZone } from './strategies/zone.ts';

/**
 * Routes requests of clients to workers, classic and native ones in any combination, and returns
 * their replies.
 *
 * It keeps each request until it is settled, queues requests while all workers are busy, and
 * redispatches idempotent requests of lost workers. With {@link ZeroMQRoutingProxy} it forwards
 * messages as the original framework does.
 *
 * @example
 * ```ts
 * await using router = new ZeroMQRouter({
 *   frontendConnection: 'tcp://127.0.0.1:5555',
 *   backendConnection: 'tcp://127.0.0.1:5556',
 * });
 * await router.start();
 * router.on('notice', (notice) => console.warn(notice));
 * ```
 */
export class ZeroMQRouter
  extends Emitter<RouterEvents>
  implements Requester, EmbeddedRouter, RouterConsole, AsyncDisposable
{
  /** Contracts announced by workers. */
  readonly contracts: AnnouncedContracts;
  private readonly frontendConnection: ZeroMQConnection;
  private readonly backendConnection: ZeroMQConnection;
  private readonly options: ZeroMQRouterOptions;
  private readonly settings: SocketSettings;
  private readonly logger: Logger;
  private readonly broker: Broker;
  private readonly builtins: BuiltinEvents;
  private readonly requests: RequestStats;
  private readonly timer: BrokerTimer;
  /** Whether the strategy is the blind proxy. */
  private readonly blind: boolean;
  private readonly lifecycle: Lifecycle<RouterEndpoints>;
  private readonly source: { readonly kind: 'router'; node: string } = { kind: 'router', node: 'router' };
  private readonly createdAt = systemClock.now();
  private endpoints: RouterReport['endpoints'] = {};
  private ownIdentity: NodeIdentity | undefined;
  private readonly owner: BackendOwner & ClientHandlerOwner = {
    workerJoined: (peer) => this.workerJoined(peer),
    workerLeft: (peer, reason, held) => this.workerLeft(peer, reason, held),
    peerActive: (key) => this.heartbeats?.alive(key),
    rearmTimer: () => this.timer.arm(),
  };
  private readonly embedded: EmbeddedNodes;
  private sockets: RouterSockets | undefined;
  private heartbeats: ZeroMQHeartbeatReceiver | undefined;

  /** @throws {ZeroMQConfigError} when an option is invalid; the message names it. */
  constructor(options: ZeroMQRouterOptions) {
    super();
    this.options = { ...options, curve: undefined };
    this.settings = socketSettings(options);
    this.frontendConnection = toConnection(options.frontendConnection);
    this.backendConnection = toConnection(options.backendConnection);
    this.logger = (options.logger ?? defaultLogger()).child({ node: 'router' });
    this.blind = options.strategy?.kind === 'proxy';
    const strategy = withZone(options.zone, this.blind ? undefined : options.strategy);
    const notify = (notice: RouterNotice): void => {
      publishNotice(this.logger, this.broker.workers, notice);
      this.notify('notice', notice);
    };
    const observer = new RouterObserver(this.source, undefined, this.logger);
    this.broker = new Broker({ ...options.limits, strategy, notify, observer }, this.createdAt);
    this.timer = new BrokerTimer(this.broker);
    this.contracts = new AnnouncedContracts(options.contractChecker);
    const { broker, contracts, logger, blind, owner } = this;
    const { maxMessageSize, clientLimits } = this.settings;
    const state = () => this.lifecycle.state;
    const nodes = { broker, contracts, logger, maxMessageSize, clientLimits, blind, state, owner };
    this.embedded = new EmbeddedNodes(nodes);
    const node = (): string => this.source.node;
    this.requests = new RequestStats('router', node, (name) => broker.eventTable.wasAnnounced(name));
    const operator = { console: this, open: isLocal(this.frontendConnection), logger };
    this.builtins = new BuiltinEvents(node, this.contracts, operator, undefined, options.zone);
    this.lifecycle = new Lifecycle<RouterEndpoints>(this.source, {
      logger: this.logger,
      open: () => this.open(),
      drain: (signal) => this.drain(signal),
      release: () => this.release(),
    });
  }

  /**
   * Node id, session id and socket identity.
   *
   * @throws {ZeroMQError} with code `NOT_STARTED` before `start()`.
   */
  get identity(): NodeIdentity {
    if (this.ownIdentity === undefined) throw new ZeroMQError('NOT_STARTED', 'the router is not started');
    return this.ownIdentity;
  }

  /** Resolves once the router is closed: with the error that closed it, or undefined. */
  get closed(): Promise<Error | undefined> {
    return this.lifecycle.closed;
  }

  /** Current state of the router. */
  get state(): RouterReport['state'] {
    return this.lifecycle.state;
  }

  /**
   * Whether it accepts requests of its own process: it is running and does not use the blind proxy.
   */
  get reachable(): boolean {
    return this.embedded.reachable;
  }

  /** Socket events of the frontend; undefined before `start()`. */
  get frontendMonitor(): ZeroMQSocketMonitor | undefined {
    return this.sockets?.frontend.monitor;
  }

  /** Socket events of the backend; undefined before `start()`. */
  get backendMonitor(): ZeroMQSocketMonitor | undefined {
    return this.sockets?.backend.monitor;
  }

  /**
   * Returns counters and gauges, and the number of connected clients that sent a message. All are
   * zero with the blind proxy.
   */
  stats(): RouterStats & { readonly clients: number } {
    return { ...this.broker.stats(), clients: this.sockets?.clients ?? 0 };
  }

  /** Returns a report of the router: its workers, events and counters. */
  inspect(): RouterReport {
    const now = systemClock.now();
    return {
      router: this.source.node,
      state: this.lifecycle.state,
      age: now - this.createdAt,
      strategy: this.options.strategy?.name ?? STRATEGIES[0] ?? '',
      endpoints: this.endpoints,
      totals: this.stats(),
      workers: workerReports(this.broker, now, (worker) => this.heartbeats?.reportOf(worker) ?? null),
      events: eventReports(this.broker),
    };
  }

  /** Returns recent request statistics by event. Recording starts with the first call. */
  requestStats(): RequestReport {
    return this.requests.read();
  }

  /** Returns the contracts announced by workers, including those that no worker serves now. */
  contractReports(): readonly ContractReport[] {
    return this.contracts.list();
  }

  /**
   * Stops sending requests to a worker, which finishes those it holds, or resumes.
   *
   * @param drain whether to stop (true) or to resume.
   * @returns false if there is no worker of that identity.
   */
  drainWorker(id: string, drain = true): boolean {
    const named = [...this.broker.workers].filter((worker) => worker.id === id);
    for (const worker of named) this.broker.setOperatorDrain(worker, drain, turnNow());
    this.timer.arm();
    return named.length > 0;
  }

  /**
   * Keeps requests of an event queued, or resumes dispatching them.
   *
   * @param pause whether to pause (true) or to resume.
   * @returns false if the event is unknown.
   */
  pauseEvent(name: string, pause = true): boolean {
    if (pause && !this.broker.isKnown(name)) return false;
    if (!pause && !this.broker.isPaused(name)) return this.broker.isKnown(name);
    this.broker.pauseEvent(name, pause, turnNow());
    this.timer.arm();
    return true;
  }

  /**
   * Sets the percentage of the requests for a version, until the router stops; null for that of its workers.
   * @returns false if no worker serves the version.
   */
  setVersionWeight(contract: string, version: string, weight: number | null): boolean {
    const isKnown = this.broker.releases.assign(contract, version, weight ?? undefined, turnNow());
    this.timer.arm();
    return isKnown;
  }

  /**
   * Binds the sockets. Further calls return the same promise.
   * @returns the bound endpoints.
   * @throws {ZeroMQSocketInvalid} when an address cannot be bound.
   */
  start(): Promise<RouterEndpoints> {
    return this.lifecycle.start();
  }

  /**
   * Stops the router: rejects new requests, settles the others and closes the sockets. Further
   * calls return the same promise.
   *
   * @param options.deadline time after which requests still in flight are aborted, in milliseconds;
   *   10,000 by default.
   */
  stop(options: { deadline?: number } = {}): Promise<void> {
    return this.lifecycle.close(options.deadline);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Submits a request from this process, without a socket.
   *
   * @param settle receives the reply.
   * @returns a handle that cancels the request.
   * @throws {ZeroMQConfigError} when the request cannot be encoded.
   */
  request(outgoing: OutgoingRequest, settle: Settle): InFlight {
    return this.embedded.request(outgoing, settle);
  }

  /** Registers an embedded worker. Returns its slot, or the reason why it is refused. */
  register(worker: EmbeddedWorker): EmbeddedSlot | string {
    return this.embedded.register(worker);
  }

  /** Withdraws an embedded worker that was refused. */
  withdraw(worker: EmbeddedWorker): void {
    this.embedded.withdraw(worker);
  }

  private async open(): Promise<RouterEndpoints> {
    this.ownIdentity = await loadIdentity(this.options.configFile, 'router');
    const { identity } = this.ownIdentity;
    this.source.node = identity;
    this.sockets = this.createSockets(identity);
    const endpoints = await this.sockets.bind(this.frontendConnection, this.backendConnection);
    const all = { ...endpoints, ...(await this.openHeartbeats()) };
    publishBound(this.logger, all);
    this.endpoints = all;
    return all;
  }

  private createSockets(identity: string): RouterSockets {
    const { source, settings, logger, broker, contracts, builtins, owner } = this;
    if (this.blind) return new BlindProxy({ ...settings, identity, source, logger });
    return new RoutedSockets({ ...settings, identity, source, logger, broker, contracts, builtins, owner });
  }

  private workerJoined(peer: JoinedPeer): void {
    const { worker, key, native } = peer;
    if (worker === undefined) return;
    const { events = [], concurrency } = worker;
    const details: WorkerDetails = { classic: !native, events, concurrency };
    publishJoined(this.source, this.logger, peer, details);
    this.notify('workerJoined', key, details);
    this.timer.arm();
  }

  private workerLeft(peer: JoinedPeer, reason: LeaveReason, held: number): void {
    const { key } = peer;
    if (reason === 'goodbye') this.heartbeats?.forget(key);
    publishLeft(this.source, this.logger, peer, reason, held);
    this.notify('workerLeft', key, reason);
    this.timer.arm();
  }

  private async openHeartbeats(): Promise<{ heartbeat?: string }> {
    const { heartbeatConfig: config } = this.options;
    if (config === undefined) return {};
    const { source, logger } = this;
    const curve = this.settings.curve?.endpoint('heartbeat', logger);
    this.heartbeats = new ZeroMQHeartbeatReceiver({ config, source, curve, logger });
    this.heartbeats.on('connected', ({ key, nodeType }) => {
      if (nodeType === 'worker') this.sockets?.heartbeatHeard(key);
      this.notify('peerConnected', key);
    });
    this.heartbeats.on('lost', ({ key }) => {
      this.sockets?.heartbeatLost(key);
      this.notify('peerLost', key);
    });
    return { heartbeat: await this.heartbeats.start() };
  }

  private async drain(signal: AbortSignal): Promise<void> {
    this.builtins.close();
    await Promise.all([drained(this.broker, signal), this.sockets?.sayGoodbye()]);
  }

  private release(): void {
    this.builtins.close();
    this.broker.shutDown();
    this.embedded.close();
    this.timer.close();
    this.requests.close();
    this.heartbeats?.stop();
    this.sockets?.close();
  }
}
