/**
 * The sockets of a router, one for clients and one for workers, and the parts that handle their
 * messages.
 */

import type { Logger } from '../core/logging/logging.ts';
import type { DiagnosticsSource } from '../core/observability/diagnostics.ts';
import type { ZeroMQConnection } from '../transport/addressing/connection.ts';
import type { CurveServer } from '../transport/curve/curve-options.ts';
import { ClientFrontend } from '../transport/link/client-frontend.ts';
import type { MessageSocket } from '../transport/socket/message-socket.ts';
import { Backend, type BackendOwner } from './backend/backend.ts';
import type { ClassicEvents } from './backend/classic-events.ts';
import type { AnnouncedContracts } from './backend/contracts.ts';
import type { Broker } from './broker/broker.ts';
import type { ClientLimits } from './broker/client-limits.ts';
import type { BuiltinEvents } from './frontend/builtin-events.ts';
import { ClientHandler, type ClientHandlerOwner } from './frontend/client-handler.ts';

/** Bound endpoints, with the port numbers chosen for port 0. */
export interface SocketsEndpoints {
  /** Endpoint that clients connect to. */
  readonly frontend: string;
  /** Endpoint that workers connect to. */
  readonly backend: string;
}

/** Sockets of a router: `RoutedSockets`, or the blind proxy. */
export interface RouterSockets {
  readonly frontend: MessageSocket;
  readonly backend: MessageSocket;
  /** Number of known clients. */
  readonly clients: number;
  /** @throws {ZeroMQSocketInvalid} when an address cannot be bound. */
  bind(frontend: ZeroMQConnection, backend: ZeroMQConnection): Promise<SocketsEndpoints>;
  /** Asks clients to send no more requests. Resolves once they agreed or cannot be asked. */
  sayGoodbye(): Promise<void>;
  /** Sends batched messages and closes the sockets. */
  close(): void;
  /** The first heartbeat of a worker, or its first after it was lost. */
  heartbeatHeard(key: string): void;
  /** A worker missed too many heartbeats. */
  heartbeatLost(key: string): void;
}

/** Options of {@link RoutedSockets}. */
export interface RoutedSocketsOptions {
  readonly identity: string;
  readonly maxMessageSize: number;
  readonly source: DiagnosticsSource;
  readonly logger: Logger;
  readonly classicConcurrency: number;
  readonly classicEvents: ClassicEvents;
  readonly helloTimeout: number;
  readonly curve: CurveServer | undefined;
  readonly clientLimits: Required<ClientLimits>;
  readonly contracts: AnnouncedContracts;
  readonly broker: Broker;
  readonly builtins: BuiltinEvents;
  readonly owner: BackendOwner & ClientHandlerOwner;
}

/** Sockets whose requests pass through the broker. */
export class RoutedSockets implements RouterSockets {
  private readonly front: ClientFrontend;
  private readonly back: Backend;

  constructor(options: RoutedSocketsOptions) {
    const { identity: routingId, maxMessageSize, source, logger, broker, builtins, owner } = options;
    const clients = new ClientHandler(broker, builtins, owner, options.clientLimits);
    const curve = options.curve?.endpoint('frontend', logger);
    this.front = new ClientFrontend(
      { routingId, maxMessageSize, source, curve, unread: broker.unread },
      clients,
    );
    this.back = new Backend({ ...options, curve: options.curve?.endpoint('backend', logger) }, broker, owner);
  }

  get frontend(): MessageSocket {
    return this.front.socket;
  }

  get backend(): MessageSocket {
    return this.back.socket;
  }

  get clients(): number {
    return this.front.size;
  }

  async bind(frontend: ZeroMQConnection, backend: ZeroMQConnection): Promise<SocketsEndpoints> {
    return { frontend: await this.front.bind(frontend), backend: await this.back.bind(backend) };
  }

  sayGoodbye(): Promise<void> {
    return this.front.sayGoodbye();
  }

  close(): void {
    this.front.close();
    this.back.close();
  }

  heartbeatHeard(key: string): void {
    this.back.heartbeatHeard(key);
  }

  heartbeatLost(key: string): void {
    this.back.heartbeatLost(key);
  }
}

/** Resolves when the broker holds no more requests, or the signal aborts. */
export function drained(broker: Broker, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    broker.drain(resolve);
  });
}
