/** How dead connections are found and lost ones come back: options of every socket. */
import type { Dealer, Router } from 'zeromq';

/**
 * ZMQ_HEARTBEAT_IVL and ZMQ_HEARTBEAT_TIMEOUT, in ms: a peer is asked this often, and cut when nothing at all came from
 * it for so long after; a dead connection is found within 10 s. Both sides ask: a classic peer does not by itself.
 */
const PING_INTERVAL = 5000;
const PING_TIMEOUT = 5000;

/**
 * ZMQ_RECONNECT_IVL and ZMQ_RECONNECT_IVL_MAX, in ms: attempts to connect begin this far apart, and get rarer by a factor
 * of two. With a maximum libzmq leaves nothing to chance, so each socket has an interval of its own, up to a half more.
 * The longest is under 4 s, for which a router that starts waits for its workers (`startupGrace`).
 */
const RECONNECT_FIRST = 75;
const RECONNECT_LONGEST = 2500;

/** Sets them. */
export function keepAlive(socket: Router | Dealer): void {
  socket.heartbeatInterval = PING_INTERVAL;
  socket.heartbeatTimeout = PING_TIMEOUT;
  socket.heartbeatTimeToLive = PING_INTERVAL + 2 * PING_TIMEOUT;
  socket.reconnectInterval = spread(RECONNECT_FIRST);
  socket.reconnectMaxInterval = spread(RECONNECT_LONGEST);
}

/** The interval, or up to a half more. */
function spread(interval: number): number {
  return Math.round(interval * (1 + Math.random() / 2));
}
