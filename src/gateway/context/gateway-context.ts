/**
 * State that all requests of one gateway share: the context with its settings and services, and the
 * access log.
 */
import type { IncomingMessage } from 'node:http';
import type { Linked, LinkedList } from '../../core/collections/linked-list.ts';
import type { Requester } from '../../core/messages/message.ts';
import type { Tracing } from '../../core/observability/tracing.ts';
import type { BodyReader } from '../binding/reader.ts';
import type { GatewayLogger, PendingContracts } from '../common/api-source.ts';
import type { HookLists } from '../common/hooks.ts';
import type { Pipelines } from '../common/pipeline.ts';
import type { RequestIds } from '../common/request-id.ts';
import type { GatewaySettings } from '../common/settings.ts';
import type { StoreService } from '../durable/store-service.ts';
import type { Cors } from '../security/cors.ts';
import type { RateLimits } from '../security/rate-limit.ts';
import type { DurableRequests } from './durable-requests.ts';
import type { OpenStreams } from './open-streams.ts';

/** An exchange in flight. */
export interface ActiveExchange extends Linked<ActiveExchange> {
  /** Responds with an error and cancels the request to the worker. */
  abort(): void;
}

/** The settings, services and state of one gateway. */
export interface GatewayContext {
  readonly name: string;
  readonly settings: GatewaySettings;
  readonly requester: Requester;
  readonly logger: GatewayLogger;
  /** Creates spans; undefined if the process does not trace. */
  readonly tracing: Tracing | undefined;
  readonly ids: RequestIds;
  readonly bodies: BodyReader;
  readonly pipelines: Pipelines;
  readonly cors: Cors | undefined;
  /** Undefined if there is no hook. */
  readonly hooks: HookLists | undefined;
  readonly rateLimits: RateLimits | undefined;
  /** Headers of every response, names and values in turn. */
  readonly baseHeaders: readonly string[];
  /** Contracts that the API source does not have yet; undefined if none are expected. */
  readonly contracts: PendingContracts | undefined;
  /** The store of requests; undefined if the settings name none. */
  readonly store: StoreService | undefined;
  /** Asynchronous requests; undefined if there is no store, or the settings disable them. */
  requests: DurableRequests | undefined;
  /** The streams in flight. They are exchanges too. */
  readonly streams: OpenStreams;
  /** Operation requests in flight, streams included. */
  readonly exchanges: LinkedList<ActiveExchange>;
  /** Requests whose client sends the body only after 100 Continue. */
  readonly expecting: WeakSet<IncomingMessage>;
  /** The gateway is draining: responses close their connections and `/readyz` reports 503. */
  draining: boolean;
  /** The gateway accepts no more requests. */
  closed: boolean;
  /** Called when the last exchange in flight ends while the gateway drains. */
  onIdle: (() => void) | undefined;
}

/** Whether contracts may still arrive, so that an unknown path may become known. */
export function isStarting({ contracts }: GatewayContext): boolean {
  return contracts !== undefined && !contracts.complete;
}

/**
 * The first headers of a response, names and values in turn.
 * @param base headers that all responses of this kind have.
 */
export function startHeaders(gateway: GatewayContext, base: readonly string[], requestId: string): string[] {
  const headers = base.slice();
  headers.push(gateway.settings.requestIdHeader, requestId);
  if (gateway.draining) headers.push('Connection', 'close');
  return headers;
}
