/**
 * durable: the part of the store that a gateway uses. Leases, takeovers, and what is stored of a
 * request and its reply.
 *
 * The store of a gateway, as operators and metrics see it.
 */
import type { Cancellation, ListQuery, StoredRequest, StoreStatistics } from '../../store/index.ts';
import type { KeyResult } from './key-result.ts';
import type { StoreService } from './store-service.ts';

/** The store of a gateway ({@link Gateway.store}): statistics, and the stored requests. */
export interface GatewayStore {
  /**
   * Counts of what is stored, up to 10 s old; undefined until they have been counted. All gateways
   * that share a store report the same.
   */
  readonly statistics: StoreStatistics | undefined;
  /** Requests with an idempotency key, by what the gateway did with them. */
  readonly keys: ReadonlyMap<KeyResult, number>;
  /**
   * Lists stored requests, newest first.
   *
   * @param query caller and state of the requests, their maximum number, and where to continue.
   * @returns the requests, without their data and results.
   * @throws {ZeroMQError} 503 when the store cannot be used.
   */
  list(query: ListQuery): Promise<StoredRequest[]>;
  /**
   * Finds a stored request.
   *
   * @param id id of the request.
   * @returns the request; undefined if there is none.
   * @throws {ZeroMQError} 503 when the store cannot be used.
   */
  get(id: string): Promise<StoredRequest | undefined>;
  /**
   * Cancels a stored request. One that is running is cancelled by the gateway that holds it.
   *
   * @param id id of the request.
   * @returns what was done.
   * @throws {ZeroMQError} 503 when the store cannot be used.
   */
  cancel(id: string): Promise<Cancellation>;
}

/** The public view of a store. */
export function gatewayStore(service: StoreService): GatewayStore {
  return {
    get statistics() {
      return service.statistics;
    },
    keys: service.keys,
    list: (query) => service.use((store) => store.list(query)),
    get: (id) => service.use((store) => store.get(id)),
    cancel: (id) => service.use((store) => store.cancel(id)),
  };
}
