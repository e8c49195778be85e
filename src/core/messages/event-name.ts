/** Names of events that the nodes keep for themselves. */

/** First character of events that routers and servers answer themselves, and of control messages. */
export const RESERVED = '$';

/** Events of the protocol of the Python original (docs/protocol/index.md). */
const PROTOCOL_EVENTS: ReadonlySet<string> = new Set(['heartbeat', 'message', 'response']);

/** Whether only routers and servers themselves may have an event of that name. */
export function isReserved(name: string): boolean {
  return name.startsWith(RESERVED);
}

/** Whether the protocol itself uses the name, so that no operation can lead to it. */
export function isProtocolEvent(name: string): boolean {
  return PROTOCOL_EVENTS.has(name);
}
