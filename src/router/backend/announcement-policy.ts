/** Checks what a worker announces against the permissions of its key. */
import type { PeerPermissions } from '../../transport/curve/permissions.ts';
import type { ReadAnnouncement } from './announcement.ts';

/** Returns why a worker may not serve what it announces; undefined if it may. */
export function announcementRefusal(
  rights: PeerPermissions,
  { events, claims }: ReadAnnouncement,
): string | undefined {
  if (events === undefined && !rights.mayServeUnannounced) {
    return `the key of ${rights.name} does not allow serving unannounced events`;
  }
  const event =
    events?.find((name) => !rights.mayServe(name)) ??
    claims.find(({ eventName }) => !rights.mayServe(eventName))?.eventName;
  if (event !== undefined) return `the key of ${rights.name} does not allow serving ${JSON.stringify(event)}`;
  const path = claims.find((claim) => !rights.mayAnnounce(claim.path))?.path;
  if (path === undefined) return undefined;
  return `the key of ${rights.name} does not allow announcing operations under ${JSON.stringify(path)}`;
}

/**
 * The events that a classic worker serves, since it cannot announce any. Undefined: every event
 * that no worker ever announced. Empty: the worker is refused.
 *
 * @param configured events that the router's configuration binds it to, if any.
 */
export function classicEventsOf(
  rights: PeerPermissions,
  configured: readonly string[] | undefined,
): readonly string[] | undefined {
  if (rights.mayServeUnannounced) return configured;
  return (configured ?? rights.namedEvents).filter((event) => rights.mayServe(event));
}
