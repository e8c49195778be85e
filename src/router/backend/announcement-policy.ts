/** What the key of a worker allows it to serve and to announce. */
import type { PeerPermissions } from '../../transport/curve/permissions.ts';
import type { ReadAnnouncement } from './announcement.ts';

/** Why a worker may not serve what it announces; undefined when it may. */
export function announcementRefusal(
  rights: PeerPermissions,
  { events, claims }: ReadAnnouncement,
): string | undefined {
  if (events === undefined && !rights.servesAll) {
    return `the key of ${rights.name} does not allow to serve whatever nobody announced`;
  }
  const event =
    events?.find((name) => !rights.mayServe(name)) ??
    claims.find(({ eventName }) => !rights.mayServe(eventName))?.eventName;
  if (event !== undefined)
    return `the key of ${rights.name} does not allow to serve ${JSON.stringify(event)}`;
  const path = claims.find((claim) => !rights.mayAnnounce(claim.path))?.path;
  if (path === undefined) return undefined;
  return `the key of ${rights.name} does not allow to announce operations under ${JSON.stringify(path)}`;
}

/**
 * Events that a classic worker, which cannot say what it serves, is given; undefined: whatever no worker ever announced;
 * none: it is not taken in.
 *
 * @param configured those that the router's configuration binds it to, if it does.
 */
export function classicEventsOf(
  rights: PeerPermissions,
  configured: readonly string[] | undefined,
): readonly string[] | undefined {
  if (rights.servesAll) return configured;
  return (configured ?? rights.namedEvents).filter((event) => rights.mayServe(event));
}
