/** Clients and workers in the router's own process, which exchange messages without sockets. */

import type { Logger } from '../core/logging/logging.ts';
import type { EmbeddedSlot, EmbeddedWorker } from '../core/messages/embedded.ts';
import { failure, type InFlight, type OutgoingRequest, type Settle } from '../core/messages/message.ts';
import { withProgress } from '../core/messages/progress.ts';
import type { RouterReport } from '../core/observability/reports.ts';
import { toMessage } from '../wire/outgoing.ts';
import type { BackendOwner } from './backend/backend.ts';
import { CallHandler } from './backend/call-handler.ts';
import type { AnnouncedContracts } from './backend/contracts.ts';
import { EmbeddedPeer } from './backend/embedded-peer.ts';
import type { Broker } from './broker/broker.ts';
import type { ClientLimits } from './broker/client-limits.ts';
import { EmbeddedRequest, RefusedRequest } from './frontend/embedded-request.ts';

export interface EmbeddedNodesOptions {
  readonly broker: Broker;
  readonly contracts: AnnouncedContracts;
  readonly logger: Logger;
  /** Maximum size of a message in bytes. */
  readonly maxMessageSize: number;
  /** Limits on the calls of a worker. */
  readonly clientLimits: Required<ClientLimits>;
  /** Whether the router is a blind proxy, which accepts no requests or workers of its process. */
  readonly blind: boolean;
  /** Returns the state of the router. */
  readonly state: () => RouterReport['state'];
  readonly owner: BackendOwner;
}

/** The requests and workers of the router's own process. */
export class EmbeddedNodes {
  private readonly peers = new Set<EmbeddedPeer>();
  private readonly refused = new Set<EmbeddedWorker>();
  private readonly calls: CallHandler;

  constructor(private readonly options: EmbeddedNodesOptions) {
    this.calls = new CallHandler(options.broker, options.clientLimits);
    options.contracts.on('freed', () => this.retryRefused());
  }

  /** Whether the router accepts requests and workers of its process. */
  get reachable(): boolean {
    return this.options.state() === 'running' && !this.options.blind;
  }

  /** Submits a request, or settles it in a later turn if the router does not accept it. */
  request(outgoing: OutgoingRequest, settle: Settle): InFlight {
    const { broker, maxMessageSize, blind, owner } = this.options;
    const message = toMessage(outgoing, maxMessageSize);
    const state = this.options.state();
    if (blind || state === 'idle' || state === 'starting') {
      const reason = blind
        ? 'forwards messages without reading them and accepts no requests of its own process'
        : 'is not started';
      return new RefusedRequest(failure('NO_ROUTER', `the router ${reason}`), settle);
    }
    const { stream, onProgress } = outgoing;
    const onReply = withProgress(settle, onProgress);
    const request = new EmbeddedRequest(broker, message, onReply, stream, () => owner.rearmTimer());
    owner.rearmTimer();
    return request;
  }

  /** Registers a worker. Returns its slot, or the reason why it is refused. */
  register(worker: EmbeddedWorker): EmbeddedSlot | string {
    if (!this.reachable) return 'the router is not running, or forwards messages without reading them';
    const { logger, owner } = this.options;
    const peer = new EmbeddedPeer(
      worker,
      { ...this.options, calls: this.calls },
      {
        workerJoined: (joined) => owner.workerJoined(joined),
        workerLeft: (left, reason, held) => {
          this.peers.delete(peer);
          owner.workerLeft(left, reason, held);
        },
        rearmTimer: () => owner.rearmTimer(),
      },
    );
    const refusal = peer.join();
    if (refusal !== undefined) {
      // The worker logs the error in the same process.
      logger.debug({ worker: worker.id, reason: refusal }, 'a worker was refused');
      this.refused.add(worker);
      return refusal;
    }
    this.refused.delete(worker);
    this.peers.add(peer);
    return peer;
  }

  /** Withdraws a worker that was refused. */
  withdraw(worker: EmbeddedWorker): void {
    this.refused.delete(worker);
  }

  close(): void {
    for (const peer of this.peers) peer.close();
  }

  /** Retries refused workers once the worker that blocked their contract has left. */
  private retryRefused(): void {
    const refused = [...this.refused];
    queueMicrotask(() => {
      for (const worker of refused) if (this.refused.delete(worker)) worker.onRetry();
    });
  }
}
