/** What the key of a worker allows it to serve and to announce. */
import type { PeerRights } from '../transport/curve/rights.ts';
import type { Announcement } from '../wire/control.ts';

/** Methods of an OpenAPI path item, which hold its operations. */
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

/** Why a worker may not serve what it announces; undefined when it may. */
export function announcementRefusal(
  rights: PeerRights,
  { events, contract }: Announcement,
): string | undefined {
  const named = events ?? [];
  if (events === undefined && !rights.servesAll) {
    return `the key of ${rights.name} does not allow to serve whatever nobody announced`;
  }
  const { paths, bound } = readFragment(contract?.fragment);
  const event = [...named, ...bound].find((name) => !rights.mayServe(name));
  if (event !== undefined)
    return `the key of ${rights.name} does not allow to serve ${JSON.stringify(event)}`;
  const path = paths.find((each) => !rights.mayAnnounce(each));
  return (
    path && `the key of ${rights.name} does not allow to announce operations under ${JSON.stringify(path)}`
  );
}

/**
 * Events that a classic worker, which cannot say what it serves, is given; undefined: whatever nobody announced; none:
 * it is not taken in.
 *
 * @param configured those that all classic workers serve, if the router was told.
 */
export function classicEventsOf(
  rights: PeerRights,
  configured: readonly string[] | undefined,
): readonly string[] | undefined {
  if (rights.servesAll) return configured;
  return configured === undefined ? rights.namedEvents : configured.filter((event) => rights.mayServe(event));
}

/** Paths of a fragment, and events that its operations are bound to. Faults in it are for those who check contracts. */
function readFragment(fragment: unknown): { paths: readonly string[]; bound: readonly string[] } {
  const items = isRecord(fragment) && isRecord(fragment.paths) ? fragment.paths : {};
  const operations = Object.values(items).flatMap((item) =>
    isRecord(item) ? METHODS.map((m) => item[m]) : [],
  );
  const bound = operations.flatMap((operation) => (isRecord(operation) ? [operation['x-event-name']] : []));
  return { paths: Object.keys(items), bound: bound.filter((name) => typeof name === 'string') };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
