/** Opens the store of a gateway when an operation of its document needs it. */
import type { ApiSnapshot } from '../../openapi/model/operation.ts';
import { checkStore } from '../../store/index.ts';
import type { GatewayLogger } from '../common/api-source.ts';
import type { GatewaySettings } from '../common/settings.ts';
import { StoreService } from './store-service.ts';

/**
 * The store that the settings name; undefined if they name none. It is not opened yet.
 *
 * @throws {ZeroMQConfigError} when the package of PostgreSQL is not installed.
 */
export function storeOf({ store, stored }: GatewaySettings, logger: GatewayLogger): StoreService | undefined {
  if (store === undefined) return undefined;
  checkStore(store);
  const { requests, bytes, requestsPerCaller, bytesPerCaller } = stored;
  return StoreService.at(store, { limits: { requests, bytes, requestsPerCaller, bytesPerCaller } }, logger);
}

/** What {@link needStore} needs from its gateway. */
interface StoreUser {
  readonly store: StoreService | undefined;
  readonly logger: GatewayLogger;
}

/** Opens the store if an operation needs it, and warns if there is none. */
export function needStore({ operations }: ApiSnapshot, { store, logger }: StoreUser): void {
  const needing = operations.filter(({ idempotency, async }) => (idempotency ?? async) !== undefined);
  if (needing.length === 0) return;
  if (store !== undefined) {
    store.need();
    return;
  }
  const events = needing.map(({ eventName }) => eventName);
  logger.warn(
    { events },
    'operations with x-idempotency or x-async need a store, and the setting store names none: requests with an Idempotency-Key or of operations with x-async: required receive status 503, and Prefer: respond-async is ignored',
  );
}
