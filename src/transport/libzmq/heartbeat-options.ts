/**
 * libzmq: options of sockets, and the monitor of their connections.
 *
 * Options of every socket for detecting dead connections and reconnecting.
 */
import type { Dealer, Router } from 'zeromq';

/** How often a socket pings its peers: `seldom` suits peers that send messages regularly anyway. */
export type Pings = 'often' | 'seldom';

/**
 * ZMQ_HEARTBEAT_IVL, in ms: interval of pings. Both sides send pings, because a classic peer sends
 * none by itself.
 */
const PING_INTERVALS: Readonly<Record<Pings, number>> = { often: 7000, seldom: 60_000 };

/**
 * ZMQ_HEARTBEAT_TIMEOUT, in ms: a peer is cut when nothing arrived from it for this long after a
 * ping. ZMQ_HEARTBEAT_TTL makes a peer that sends no pings itself do the same when the next ping is
 * late by as much.
 *
 * A short timeout after a long interval costs less than the reverse. At each answer, libzmq searches
 * for the timer to cancel among all timers that are due before it. With a thousand connections,
 * those are the pings of 3 s, not all of them.
 */
const PING_TIMEOUT = 3000;

/**
 * ZMQ_TCP_MAXRT of sockets that ping seldom, in ms: the operating system ends a connection whose
 * peer acknowledges nothing. Other sockets do not set it, because it would also end connections to
 * peers that read slowly.
 */
const MAX_UNACKNOWLEDGED = 10_000;

/**
 * ZMQ_RECONNECT_IVL and ZMQ_RECONNECT_IVL_MAX, in ms: the interval of connection attempts, which
 * doubles up to the maximum. With a maximum, libzmq does not randomise, so each socket has an
 * interval of its own, up to half longer. The longest is below 4 s, the time that a starting router
 * waits for its workers (`startupGrace`).
 */
const RECONNECT_INTERVAL = 75;
const RECONNECT_INTERVAL_MAX = 2500;

/** Sets the options. */
export function setHeartbeatOptions(socket: Router | Dealer, pings: Pings): void {
  const interval = PING_INTERVALS[pings];
  socket.heartbeatInterval = interval;
  socket.heartbeatTimeout = PING_TIMEOUT;
  socket.heartbeatTimeToLive = interval + PING_TIMEOUT;
  if (pings === 'seldom') socket.tcpMaxRetransmitTimeout = MAX_UNACKNOWLEDGED;
  socket.reconnectInterval = spread(RECONNECT_INTERVAL);
  socket.reconnectMaxInterval = spread(RECONNECT_INTERVAL_MAX);
}

/** Returns the interval, randomly increased by up to half. */
function spread(interval: number): number {
  return Math.round(interval * (1 + Math.random() / 2));
}
