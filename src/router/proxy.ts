/**
 * The original's router: a blind DEALER proxy. Frames go from the frontend to the next worker in turn and back
 * untouched, in both directions; nothing is known of workers, nothing is answered. While no worker takes anything,
 * nothing more is read from clients: what they send waits in libzmq, within its high-water marks.
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

/** It drops replies that a client does not take at once: as many as the original lets wait. */
const HIGH_WATER_MARK = 1000;

/** Between attempts to find a worker that takes something, in ms. */
const RETRY_DELAY = 10;

/** Towards the workers, who share what comes: nothing is dropped, clients wait. */
class TowardsWorkers implements SocketReceiver, SendHandler {
  /** What no worker took, in order. */
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

/** Towards the clients: one that takes nothing must not keep the others waiting. */
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
  readonly speaker: DiagnosticsSource;
  readonly logger: Logger;
  /** Keys and roles are looked at, what a peer may call or serve is not: nothing is known of what passes. */
  readonly curve: CurveServer | undefined;
}

export class BlindProxy implements RouterSockets {
  readonly frontend: MessageSocket;
  readonly backend: MessageSocket;
  /** It does not know who they are. */
  readonly clients = 0;
  private readonly towardsWorkers = new TowardsWorkers(this);

  constructor(private readonly options: BlindProxyOptions) {
    const { identity: routingId, maxMessageSize, logger } = options;
    const [front, back] = [options.curve?.at('frontend', logger), options.curve?.at('backend', logger)];
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

  /** Heartbeats change nothing: nobody is known. */
  heartbeatHeard(): void {
    // See above.
  }

  heartbeatLost(): void {
    // See above.
  }

  /** Counts something that was not passed on. */
  drop(cause: DropCause): void {
    if (diagnostics.frameDropped.hasSubscribers) {
      diagnostics.frameDropped.publish({ ...this.options.speaker, cause });
    }
  }
}
