/**
 * A worker behind routers, whether its handlers run in this thread (`ZeroMQWorker`) or in another
 * one.
 */

import { withResolvers } from '../core/collections/deferred.ts';
import { PACKAGE_VERSION } from '../core/identity/package-version.ts';
import { checkZone } from '../core/identity/zone.ts';
import type { EmbeddedRouter } from '../core/messages/embedded.ts';
import { ZeroMQConfigError } from '../core/messages/errors.ts';
import { DEFAULT_MAX_STREAMS } from '../core/messages/stream.ts';
import { logFact } from '../core/observability/node-facts.ts';
import { systemClock } from '../core/time/clock.ts';
import { type ZeroMQHeartbeatConfig, ZeroMQHeartbeatSender } from '../liveness/index.ts';
import { type RuntimeLink, ServiceNode, type ServiceParts } from '../runtime/service-node.ts';
import type { ConnectionLike } from '../transport/addressing/connection.ts';
import { checkDns, type DnsOptions } from '../transport/addressing/discovery.ts';
import { DnsTarget, type Target, toTargets } from '../transport/addressing/targets.ts';
import type { CurveClient } from '../transport/curve/curve-options.ts';
import { type Announcement, controlData, controlFrames, type Hello, readHello } from '../wire/control.ts';
import { PROTOCOL_VERSION } from '../wire/metadata.ts';
import { CreditSharing } from './credit-sharing.ts';
import { EmbeddedLink, type EmbeddedLinkOwner } from './embedded-link.ts';
import type { RouterAccessReport } from './router-access.ts';
import type { RouterLink, RouterLinkOwner } from './router-link.ts';
import { RouterLinks } from './router-links.ts';
import { WorkerCalls } from './worker-calls.ts';

/**
 * Backends of routers: a single one, a DNS name that stands for several (`dns://name:port`), or a
 * list. A router in the same thread is connected without a socket.
 */
export type RouterTarget = ConnectionLike | readonly ConnectionLike[] | EmbeddedRouter;

/** The connections of a worker, and what it announces on them. */
export interface RoutedWorkerOptions {
  connection: RouterTarget;
  dns?: DnsOptions;
  heartbeatConfig?: ZeroMQHeartbeatConfig;
  announcement: Announcement;
  curve?: CurveClient;
  zone?: string;
}

/** Events of a worker. An endpoint is the connection string of a router. */
export interface WorkerEvents {
  /** Emitted when a connection to a router is established. */
  connected: [endpoint: string];
  /** Emitted when a connection to a router is lost. */
  disconnected: [endpoint: string];
  /** Emitted when a router accepts the worker. A classic router never confirms this. */
  accepted: [endpoint: string];
  /** Emitted when a router rejects the worker. */
  rejected: [endpoint: string, reason: string];
  /**
   * Emitted as a SERVER on the first heartbeat of a client, and on the first after the client was
   * lost.
   */
  peerConnected: [identity: string];
  /** Emitted as a SERVER when a client missed too many heartbeats. */
  peerLost: [identity: string];
}

/** A worker of routers; see the head of this file. */
export class RoutedWorker
  extends ServiceNode<readonly string[], WorkerEvents>
  implements RouterLinkOwner, EmbeddedLinkOwner
{
  /**
   * The concurrency that each router may use.
   *
   * @internal
   */
  readonly credit: CreditSharing;
  /**
   * The calls of handlers in flight.
   *
   * @internal
   */
  readonly calls = new WorkerCalls(() => this.routers?.callLinks ?? []);
  private readonly router: EmbeddedRouter | undefined;
  private readonly dns: DnsOptions | undefined;
  private routers: RouterLinks | undefined;
  protected targets: readonly Target[];
  protected readonly heartbeatConfig: ZeroMQHeartbeatConfig | undefined;
  protected opened: readonly RuntimeLink[] = [];
  private readonly announcement: Announcement;
  private readonly curveClient: CurveClient | undefined;
  private readonly zone: string | undefined;
  private heartbeats: ZeroMQHeartbeatSender | undefined;
  private readonly acceptance = withResolvers();

  constructor(kind: 'worker' | 'server', parts: ServiceParts, options: RoutedWorkerOptions) {
    super(kind, parts);
    const { connection, dns } = options;
    this.router = isEmbeddedRouter(connection) ? connection : undefined;
    this.targets = isEmbeddedRouter(connection) ? [] : toTargets(connection);
    checkDns(dns);
    this.dns = dns;
    this.credit = new CreditSharing(
      this.concurrency,
      sharesConcurrency(this.targets),
      systemClock,
      this.maxStreams,
    );
    this.heartbeatConfig = options.heartbeatConfig;
    this.announcement = options.announcement;
    this.curveClient = options.curve;
    this.zone = checkZone(options.zone);
  }

  /**
   * Replaces the routers. Links to routers that are no longer listed drain.
   *
   * @internal
   */
  useRouters(targets: readonly Target[]): void {
    this.targets = targets;
    this.routers?.useTargets(targets);
  }

  /** @internal */
  linkConnected(link: RouterLink): void {
    logFact(this.logger, { endpoint: link.endpoint }, 'connected');
    this.routers?.accessOf(link)?.connected();
    this.notify('connected', link.endpoint);
  }

  /** @internal */
  reportsRefusal(link: RouterLink): boolean {
    return this.announcement.contract !== undefined && this.routers?.reportsRefusal(link) === true;
  }

  /** @internal */
  linkDisconnected(link: RouterLink): void {
    logFact(this.logger, { endpoint: link.endpoint }, 'disconnected');
    this.routers?.accessOf(link)?.disconnected();
    this.notify('disconnected', link.endpoint);
  }

  /** @internal */
  linkAnswered(link: RouterLink, refusal: string | undefined, router?: string): void {
    if (router !== undefined) this.routers?.identified(link, router);
    this.routers?.accessOf(link)?.answered(refusal, router);
    this.answered(link.endpoint, refusal);
  }

  /** @internal */
  embeddedRouterAnswered(refusal: string | undefined): void {
    if (refusal === undefined) this.acceptance.resolve();
    else this.logger.error({ router: LOCAL }, `the router refused this worker: ${refusal}`);
    this.answered(LOCAL, refusal);
  }

  /**
   * Resolves when a router has accepted the worker. A router that does not answer within 5 seconds
   * of the connection counts as a classic one, which accepts every worker.
   *
   * @internal
   */
  get accepted(): Promise<void> {
    return this.acceptance.promise;
  }

  /**
   * The worker's connection to each router; empty with a router in the same thread.
   *
   * @internal
   */
  get routerAccess(): readonly RouterAccessReport[] {
    return this.routers?.accesses.map((access) => access.report()) ?? [];
  }

  protected open(): Promise<readonly string[]> {
    return Promise.resolve(this.router === undefined ? this.openLinks() : this.openEmbedded(this.router));
  }

  private openEmbedded(router: EmbeddedRouter): readonly string[] {
    const { concurrency, maxStreams, announcement } = this;
    const { identity: id } = this.identity;
    const link = new EmbeddedLink({ id, concurrency, maxStreams, announcement }, router, this);
    this.opened = [link];
    link.open();
    return [LOCAL];
  }

  private openLinks(): readonly string[] {
    const { source, maxMessageSize, announcement, targets, dns, logger, credit, curveClient: curve } = this;
    const { identity } = this;
    const share = credit.sharing || undefined;
    const hello: Omit<Hello, 'connection' | 'concurrency' | 'node' | 'refused'> = {
      v: PROTOCOL_VERSION,
      pack: 1,
      calls: 1,
      stream: 1,
      ping: 1,
      streams: this.maxStreams === DEFAULT_MAX_STREAMS ? undefined : this.maxStreams,
      share,
      zone: this.zone,
      origin: { pid: process.pid, package: PACKAGE_VERSION },
      ...announcement,
    };
    checkHello({ ...hello, concurrency: this.concurrency });
    const onAccepted = (): void => this.acceptance.resolve();
    this.routers = new RouterLinks(
      { targets, dns, logger, identity, hello, maxMessageSize, source, curve, onAccepted },
      this,
    );
    this.routers.open();
    const { heartbeatConfig: config } = this;
    if (config !== undefined) {
      this.heartbeats = new ZeroMQHeartbeatSender({
        config,
        identity: this.identity,
        nodeType: 'worker',
        source,
        curve,
        dns,
        logger,
      });
      this.heartbeats.start();
    }
    return targets.map((target) =>
      target instanceof DnsTarget ? target.toString() : target.getConnectionString(),
    );
  }

  protected links(): readonly RuntimeLink[] {
    return this.routers?.all ?? this.opened;
  }

  protected override stopChanges(): void {
    this.routers?.stop();
  }

  protected override releaseRest(): void {
    this.routers?.abort();
    this.credit.stop();
    this.heartbeats?.stop();
  }

  private answered(endpoint: string, refusal: string | undefined): void {
    if (refusal === undefined) this.notify('accepted', endpoint);
    else this.notify('rejected', endpoint, refusal);
  }
}

/** Reported as the endpoint of a router in the same thread. */
const LOCAL = 'local';

function isEmbeddedRouter(value: RouterTarget): value is EmbeddedRouter {
  return typeof value === 'object' && 'register' in value;
}

/**
 * Checks that the target is valid.
 *
 * @throws {ZeroMQConfigError} when the value is not a valid target
 */
export function checkRouterTarget(value: RouterTarget): void {
  if (!isEmbeddedRouter(value)) toTargets(value);
}

/**
 * The routers that replace others.
 *
 * @throws {ZeroMQConfigError} when a router is invalid, or the workers cannot change to them.
 */
export function changedRouters(before: RouterTarget, after: RouterTarget): readonly Target[] {
  if (isEmbeddedRouter(before) || isEmbeddedRouter(after))
    throw new ZeroMQConfigError('connection: a router in the same thread cannot be replaced');
  const targets = toTargets(after);
  if (sharesConcurrency(toTargets(before)) !== sharesConcurrency(targets))
    throw new ZeroMQConfigError(
      'connection: a change between one router and several needs a restart of the workers',
    );
  return targets;
}

/** Whether a worker divides its concurrency between routers. */
function sharesConcurrency(targets: readonly Target[]): boolean {
  return targets.length > 1 || targets.some((target) => target instanceof DnsTarget);
}

/** Rejects a hello that every router would reject, so that the error appears at the start. */
function checkHello(hello: Hello): void {
  const read = readHello(controlData(controlFrames('$hello', hello)[3]));
  if (typeof read === 'string') throw new ZeroMQConfigError(`a router would refuse this worker: ${read}`);
}
