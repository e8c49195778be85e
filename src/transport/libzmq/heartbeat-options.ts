/** How dead connections are found and lost ones come back: options of every socket. */
import type { Dealer, Router } from 'zeromq';

/** How often the peers of a socket are asked whether they are there: seldom, where something comes of itself anyway. */
export type Pings = 'often' | 'seldom';

/**
 * ZMQ_HEARTBEAT_IVL, in ms: how often a peer is asked. Both sides ask: a classic peer does not by itself.
 */
const PING_INTERVALS: Readonly<Record<Pings, number>> = { often: 7000, seldom: 60_000 };

/**
 * ZMQ_HEARTBEAT_TIMEOUT, in ms: a peer is cut when nothing at all came from it for so long after it was asked. A peer
 * that does not ask by itself is told to do the same (ZMQ_HEARTBEAT_TTL) when the next question is late by as much.
 *
 * A short timeout after a long interval costs less than the other way round. At each answer libzmq looks for the timer to
 * cancel among all that are due before it: of a thousand connections these are the 3 s of questions, not all of them.
 */
const PING_TIMEOUT = 3000;

/**
 * ZMQ_TCP_MAXRT of sockets whose peers are asked seldom, in ms: the system itself ends a connection on which nobody
 * confirms what was sent. (Not of others: it would also end those to a peer that is slow to read.)
 */
const LONGEST_UNCONFIRMED = 10_000;

/**
 * ZMQ_RECONNECT_IVL and ZMQ_RECONNECT_IVL_MAX, in ms: attempts to connect begin this far apart, and get rarer by a factor
 * of two. With a maximum libzmq leaves nothing to chance, so each socket has an interval of its own, up to a half more.
 * The longest is under 4 s, for which a router that starts waits for its workers (`startupGrace`).
 */
const RECONNECT_FIRST = 75;
const RECONNECT_LONGEST = 2500;

/** Sets them. */
export function keepAlive(socket: Router | Dealer, pings: Pings): void {
  const interval = PING_INTERVALS[pings];
  socket.heartbeatInterval = interval;
  socket.heartbeatTimeout = PING_TIMEOUT;
  socket.heartbeatTimeToLive = interval + PING_TIMEOUT;
  if (pings === 'seldom') socket.tcpMaxRetransmitTimeout = LONGEST_UNCONFIRMED;
  socket.reconnectInterval = spread(RECONNECT_FIRST);
  socket.reconnectMaxInterval = spread(RECONNECT_LONGEST);
}

/** The interval, or up to a half more. */
function spread(interval: number): number {
  return Math.round(interval * (1 + Math.random() / 2));
}
