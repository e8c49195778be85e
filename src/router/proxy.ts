/**
 * The router of the original framework: a proxy between a ROUTER and a DEALER socket. It forwards
 * frames from the frontend to the next worker in turn and back, unread. It knows no workers and
 * creates no replies. While no worker accepts messages, it reads none from clients, so that their
 * messages queue in libzmq up to the high-water marks.
 */

import type { Logger } from '../core/logging/logging.ts';
import { type DiagnosticsSource, type DropCause, diagnostics } from '../core/observability/diagnostics.ts';
import { type Cancel, systemClock } from '../core/time/clock.ts';
import type { ZeroMQConnection } from '../transport/addressing/connection.ts';
import type { CurveServer } from '../transport/curve/curve-options.ts';
import {
  MessageSocket,
  type Refusal,
  type SendHandler,
  type SocketReceiver,
} from '../transport/socket/message-socket.ts';
import type { RouterSockets, SocketsEndpoints } from './sockets.ts';

/**
 * Replies queued for a client that does not read; further ones are dropped. The value of the
 * original.
 */
const HIGH_WATER_MARK = 1000;

/** Pause between attempts to find a worker that accepts a message, in ms. */
const RETRY_DELAY = 10;

/** Messages to the workers: none is dropped; clients wait. */
class TowardsWorkers implements SocketReceiver, SendHandler {
  /** Messages that no worker accepted yet, in order. */
  private readonly waiting: Buffer[][] = [];
  private retry: Cancel | undefined;

  constructor(private readonly proxy: BlindProxy) {}

  message(frames: Buffer[]): void {
    if (this.waiting.length > 0) this.waiting.push(frames);
    else this.proxy.backend.send(frames, this);
  }

  refused(frames: Buffer[], reason: Refusal): void {
    if (reason !== 'EAGAIN') return this.proxy.drop('unroutable');
    this.waiting.push(frames);
    this.proxy.frontend.pause();
    this.retry ??= systemClock.after(RETRY_DELAY, () => void this.tryAgain());
  }

  close(): void {
    this.retry?.();
    this.waiting.length = 0;
  }

  private async tryAgain(): Promise<void> {
    for (let frames = this.waiting[0]; frames !== undefined; frames = this.waiting[0]) {
      const refusal = await this.proxy.backend.deliver(frames);
      if (this.waiting[0] !== frames) return;
      if (refusal === 'EAGAIN') {
        this.retry = systemClock.after(RETRY_DELAY, () => void this.tryAgain());
        return;
      }
      this.waiting.shift();
    }
    this.retry = undefined;
    this.proxy.frontend.resume();
  }
}

/** Messages to the clients: a client that does not read must not delay the others. */
class TowardsClients implements SocketReceiver, SendHandler {
  constructor(private readonly proxy: BlindProxy) {}

  message(frames: Buffer[]): void {
    this.proxy.frontend.send(frames, this);
  }

  refused(_frames: Buffer[], reason: Refusal): void {
    this.proxy.drop(reason === 'EAGAIN' ? 'overflow' : 'unroutable');
  }
}

/** Options of a blind proxy. */
export interface BlindProxyOptions {
  readonly identity: string;
  readonly maxMessageSize: number;
  readonly source: DiagnosticsSource;
  readonly logger: Logger;
  /**
   * Keys and roles are checked. Permissions for events are not, because the proxy does not read
   * messages.
   */
  readonly curve: CurveServer | undefined;
}

export class BlindProxy implements RouterSockets {
  readonly frontend: MessageSocket;
  readonly backend: MessageSocket;
  /** The proxy does not track clients. */
  readonly clients = 0;
  private readonly towardsWorkers = new TowardsWorkers(this);

  constructor(private readonly options: BlindProxyOptions) {
    const { identity: routingId, maxMessageSize, logger } = options;
    const [front, back] = [
      options.curve?.endpoint('frontend', logger),
      options.curve?.endpoint('backend', logger),
    ];
    const towardsClients = new TowardsClients(this);
    this.frontend = new MessageSocket(
      { type: 'router', routingId, maxMessageSize, sendHighWaterMark: HIGH_WATER_MARK, curve: front },
      this.towardsWorkers,
    );
    this.backend = new MessageSocket(
      { type: 'dealer', routingId, maxMessageSize, curve: back },
      towardsClients,
    );
  }

  async bind(frontend: ZeroMQConnection, backend: ZeroMQConnection): Promise<SocketsEndpoints> {
    return { frontend: await this.frontend.bind(frontend), backend: await this.backend.bind(backend) };
  }

  sayGoodbye(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.towardsWorkers.close();
    this.frontend.close();
    this.backend.close();
  }

  /** Heartbeats have no effect, because the proxy tracks no workers. */
  heartbeatHeard(): void {
    // See above.
  }

  heartbeatLost(): void {
    // See above.
  }

  /** Counts a message that was dropped. */
  drop(cause: DropCause): void {
    if (diagnostics.frameDropped.hasSubscribers) {
      diagnostics.frameDropped.publish({ ...this.options.source, cause });
    }
  }
}
