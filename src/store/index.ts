/** store: durable requests and idempotency keys, in SQLite or PostgreSQL. */
export { StoreUnavailableError } from './model/errors.ts';
export { newRequestId } from './model/new-id.ts';
export type {
  ClaimedRequest,
  Hold,
  NewRequest,
  Outcome,
  StoredRequest,
  StoredResult,
} from './model/request.ts';
export { type FinalState, isFinal, REQUEST_STATES, type RequestState } from './model/states.ts';
export type {
  Cancellation,
  Creation,
  ListQuery,
  Renewal,
  RequestStore,
  StoreLimits,
  StoreStatistics,
} from './model/store.ts';
export { DEFAULT_LIMITS } from './model/store.ts';
export { checkStore, openStore, type StoreOptions, storeExists } from './open.ts';
export { parseStoreUrl, type StoreAddress, storeName } from './url.ts';
