/** Event names that are reserved for the framework. */

/** First character of control messages and of events that routers and servers answer themselves. */
export const RESERVED = '$';

/** Events of the original protocol (docs/protocol/index.md). */
const PROTOCOL_EVENTS: ReadonlySet<string> = new Set(['heartbeat', 'message', 'response']);

/** Whether an event name is reserved for routers and servers. */
export function isReserved(name: string): boolean {
  return name.startsWith(RESERVED);
}

/** Whether the protocol itself uses the name, so that it cannot be the event of an operation. */
export function isProtocolEvent(name: string): boolean {
  return PROTOCOL_EVENTS.has(name);
}
