/** Options of libzmq for which zeromq.js has no property. */
import type { Socket } from 'zeromq';

const ROUTING_ID = 5;
/** Draft options. */
const ROUTER_NOTIFY = 97;
const DISCONNECT_MSG = 111;

/** Values of ZMQ_ROUTER_NOTIFY. */
export const NOTIFY_NEVER = 0;
export const NOTIFY_CONNECT = 1;

interface Settable {
  setInt32Option(option: number, value: number): void;
  setStringOption(option: number, value: Buffer): void;
}

function settable(socket: Socket): Settable {
  return socket as unknown as Settable;
}

/**
 * ZMQ_ROUTER_NOTIFY: delivers a message `[id, ""]` when a peer connects. Returns false if the
 * library lacks the option.
 */
export function setRouterNotify(socket: Socket, when: number): boolean {
  try {
    settable(socket).setInt32Option(ROUTER_NOTIFY, when);
    return true;
  } catch {
    return false;
  }
}

/**
 * ZMQ_DISCONNECT_MSG: the last message read from a peer after it has left. Returns false if the
 * library lacks the option.
 */
export function setDisconnectMessage(socket: Socket, message: Buffer): boolean {
  try {
    settable(socket).setStringOption(DISCONNECT_MSG, message);
    return true;
  } catch {
    return false;
  }
}

/** ZMQ_ROUTING_ID, which may consist of any bytes. */
export function setRoutingId(socket: Socket, identity: Buffer): void {
  settable(socket).setStringOption(ROUTING_ID, identity);
}
