/**
 * backend: the workers' side of the router. `backend.ts` exchanges messages with them,
 * `worker-registry.ts` decides who joins, and `contracts.ts` keeps what they announce.
 *
 * Checks what a worker announces against the permissions of its key.
 */
import type { PeerPermissions } from '../../transport/curve/permissions.ts';
import type { ReadAnnouncement } from './announcement.ts';

/** Returns why a worker may not serve what it announces; undefined if it may. */
export function announcementRefusal(
  permissions: PeerPermissions,
  { events, claims }: ReadAnnouncement,
): string | undefined {
  if (events === undefined && !permissions.mayServeUnannounced) {
    return `the key of ${permissions.name} does not allow serving unannounced events`;
  }
  const event =
    events?.find((name) => !permissions.mayServe(name)) ??
    claims.find(({ eventName }) => !permissions.mayServe(eventName))?.eventName;
  if (event !== undefined)
    return `the key of ${permissions.name} does not allow serving ${JSON.stringify(event)}`;
  const path = claims.find((claim) => !permissions.mayAnnounce(claim.path))?.path;
  if (path === undefined) return undefined;
  return `the key of ${permissions.name} does not allow announcing operations under ${JSON.stringify(path)}`;
}

/**
 * The events that a classic worker serves, since it cannot announce any. Undefined: every event
 * that no worker ever announced. Empty: the worker is refused.
 *
 * @param configured events that the router's configuration binds it to, if any.
 */
export function classicEventsOf(
  permissions: PeerPermissions,
  configured: readonly string[] | undefined,
): readonly string[] | undefined {
  if (permissions.mayServeUnannounced) return configured;
  return (configured ?? permissions.namedEvents).filter((event) => permissions.mayServe(event));
}
