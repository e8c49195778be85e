/** What all requests of a gateway share. */
import type { IncomingMessage } from 'node:http';
import type { Linked, LinkedList } from '../../core/collections/linked-list.ts';
import type { Requester } from '../../core/messages/message.ts';
import type { Tracing } from '../../core/observability/tracing.ts';
import type { BodyReader } from '../binding/reader.ts';
import type { AwaitedContracts, GatewayLogger } from '../common/api-source.ts';
import type { Pipelines } from '../common/pipeline.ts';
import type { RequestIds } from '../common/request-id.ts';
import type { GatewaySettings } from '../common/settings.ts';
import type { Cors } from '../security/cors.ts';
import type { RateLimits } from '../security/rate-limit.ts';

/** A request in flight. */
export interface ActiveExchange extends Linked<ActiveExchange> {
  /** Ends it with an error. */
  abort(): void;
}

export interface GatewayContext {
  readonly name: string;
  readonly settings: GatewaySettings;
  readonly requester: Requester;
  readonly logger: GatewayLogger;
  /** Makes spans, where somebody traces. */
  readonly tracing: Tracing | undefined;
  readonly ids: RequestIds;
  readonly bodies: BodyReader;
  readonly pipelines: Pipelines;
  readonly cors: Cors | undefined;
  readonly rateLimits: RateLimits | undefined;
  /** Headers of every response, names and values in turn. */
  readonly baseHeaders: readonly string[];
  /** Contracts that are still on their way to the API source; undefined: none are. */
  readonly contracts: AwaitedContracts | undefined;
  /** Operation requests in flight. */
  readonly exchanges: LinkedList<ActiveExchange>;
  /** Requests whose client sends the body only when it is asked to. */
  readonly expecting: WeakSet<IncomingMessage>;
  /** The gateway is stopping: replies close their connections, and it says that it is not ready. */
  draining: boolean;
  /** Nothing new is taken. */
  closed: boolean;
  /** Called when an exchange ends while the gateway drains. */
  onIdle: (() => void) | undefined;
}

/** Whether contracts may still come, so that a path that is not known is not known *yet*. */
export function isStarting({ contracts }: GatewayContext): boolean {
  return contracts !== undefined && !contracts.complete;
}

/**
 * The first headers of any response, names and values in turn.
 * @param base those that are the same for all such responses.
 */
export function startHeaders(gateway: GatewayContext, base: readonly string[], requestId: string): string[] {
  const headers = base.slice();
  headers.push(gateway.settings.requestIdHeader, requestId);
  if (gateway.draining) headers.push('Connection', 'close');
  return headers;
}
