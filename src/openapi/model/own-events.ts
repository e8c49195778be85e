/**
 * Names of the events of a gateway's own operations, on asynchronous requests. No router accepts names
 * that start with `$`.
 */
export const REQUEST_EVENTS = {
  show: '$requests.get',
  result: '$requests.result',
  cancel: '$requests.cancel',
  watch: '$requests.events',
} as const;

const NAMES: ReadonlySet<unknown> = new Set(Object.values(REQUEST_EVENTS));

/** Whether the event is that of an operation which a gateway serves itself. */
export function isOwnEvent(eventName: unknown): boolean {
  return NAMES.has(eventName);
}
