/**
 * requests: asynchronous requests. The runner that executes stored ones, and the operations that
 * report, cancel and list them.
 *
 * The asynchronous requests of a gateway: it stores and runs them, and takes over those of gateways
 * that are gone.
 */
import type { Requester } from '../../core/messages/message.ts';
import { type Clock, systemClock } from '../../core/time/clock.ts';
import {
  type ClaimedRequest,
  type Creation,
  type NewRequest,
  newRequestId,
  type StoredRequest,
} from '../../store/index.ts';
import type { AcceptedRequest, DurableRequests } from '../context/durable-requests.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import type { StoreService } from '../durable/store-service.ts';
import { fingerprintOf } from '../idempotency/fingerprint.ts';
import type { Route } from '../routing/route.ts';
import { RequestChanges } from './changes.ts';
import { EventFeeds } from './event-feed.ts';
import { decodeMetadata, encodeMetadata } from './metadata.ts';
import { RequestPages } from './request-pages.ts';
import { Runner } from './runner.ts';

/** Time allowed for a request without `x-async-timeout-ms`, in ms. */
export const ASYNC_TIMEOUT = 3_600_000;

/** Maximum requests that a gateway runs at a time; the others wait in the store. */
const MAX_HELD = 1000;

/** Maximum requests that are taken over at once. */
const CLAIM_BATCH = 100;

/** The parts of a gateway that its asynchronous requests use. */
export interface AsynchronousRequestsParts {
  readonly gateway: GatewayContext;
  readonly store: StoreService;
  /** Path of the requests, such as `/requests`. */
  readonly path: string;
  /** Finds the route of an operation, such as `POST /reports`. */
  readonly routeOf: (operation: string, event: string) => Route | undefined;
  readonly clock?: Clock;
}

export class AsynchronousRequests implements DurableRequests {
  readonly path: string;
  readonly pages: RequestPages;
  readonly events: Requester;
  private readonly store: StoreService;
  private readonly retention: number;
  private readonly logger: GatewayContext['logger'];
  private readonly clock: Clock;
  private readonly runner: Runner;
  private readonly changes: RequestChanges;
  private draining = false;
  private idle: (() => void) | undefined;

  constructor({ gateway, store, path, routeOf, clock = systemClock }: AsynchronousRequestsParts) {
    this.store = store;
    this.path = path;
    this.retention = gateway.settings.stored.retention;
    this.logger = gateway.logger;
    this.clock = clock;
    this.runner = new Runner({ gateway, store, clock, routeOf, onChange: () => this.heldChanged() });
    this.changes = new RequestChanges(store);
    this.pages = new RequestPages(store, this.changes, path, (id) => this.runner.drop(id));
    const find = (id: string, caller: string): Promise<StoredRequest | undefined> =>
      this.pages.find(id, caller);
    this.events = new EventFeeds({ changes: this.changes, path, find });
    store.onClaimed = (claimed) => this.resume(claimed);
    this.heldChanged();
  }

  async accept({ operation, outgoing, key }: AcceptedRequest): Promise<Creation> {
    const { body: data, requestId = '', extras, idempotent } = outgoing;
    const { method, path, eventName: event, asyncTimeout: timeout = ASYNC_TIMEOUT } = operation;
    const metadata = { operation: `${method.toUpperCase()} ${path}`, requestId, extras };
    const isHeld = !this.draining && this.runner.size < MAX_HELD;
    // It is dispatched as soon as it is stored: a second change would say no more than this one.
    const isDispatched = isHeld && this.runner.canDispatch(metadata.operation, event);
    const request: NewRequest = {
      id: newRequestId(),
      caller: extras?.caller?.id ?? '',
      event,
      key,
      fingerprint: fingerprintOf(data),
      state: isDispatched ? 'running' : 'accepted',
      idempotent,
      data,
      metadata: encodeMetadata(metadata),
      timeout,
      retention: this.retention,
      owner: this.store.owner,
      // A request beyond the maximum waits for a gateway with room.
      lease: isHeld ? this.store.lease : 0,
    };
    const creation = await this.store.create(request);
    if (creation.outcome === 'created' && isHeld) {
      const { hold } = creation;
      this.runner.run({ hold, event, idempotent, data, metadata, timeout }, isDispatched);
    }
    return creation;
  }

  /** Wakes the clients that wait: the gateway drains. */
  private drain(): void {
    this.draining = true;
    this.store.claimLimit = 0;
    this.changes.drain();
    this.runner.drain();
  }

  /**
   * Waits for the requests in flight until the deadline, in ms. The store keeps the others, which
   * another gateway runs.
   */
  async close(deadline: number): Promise<void> {
    this.drain();
    if (this.runner.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.clock.after(deadline, resolve);
        this.idle = () => {
          cancel();
          resolve();
        };
      });
    }
    await this.runner.giveUp();
    this.changes.close();
  }

  private heldChanged(): void {
    if (this.draining) {
      if (this.runner.size === 0) this.idle?.();
    } else this.store.claimLimit = Math.min(CLAIM_BATCH, MAX_HELD - this.runner.size);
  }

  /** Takes over a request whose gateway is gone, or which has waited. */
  private resume({ request, hold, data, metadata: bytes, timeout }: ClaimedRequest): void {
    const { id, event, idempotent, state, cancelRequested } = request;
    const runnable = { hold, event, idempotent, data, metadata: decodeMetadata(bytes), timeout };
    if (state === 'running' && cancelRequested) this.runner.end(runnable, 'cancelled');
    else if (state === 'running' && !idempotent) {
      this.logger.warn({ id, event }, 'the gateway that ran a request is gone: its outcome is unknown');
      this.runner.end(runnable, 'unknown');
    } else this.runner.run(runnable, state === 'running');
  }
}
