/**
 * Notices of a ROUTER about its peers. `[id, ""]` is the first message read from a connection
 * (ZMQ_ROUTER_NOTIFY), and `[id, farewell]` the last one (ZMQ_DISCONNECT_MSG). The farewell is
 * random bytes that no peer knows, so a peer cannot forge its own departure. It can forge `[id,
 * ""]`, which looks like a new connection under its id.
 *
 * With notices, a routing id can change hands (ZMQ_ROUTER_HANDOVER): a peer that reconnects is
 * served before the router has noticed the loss of the old connection. libzmq then gives the old
 * connection a generated id, under which its remaining messages may still be read.
 */
import { randomBytes } from 'node:crypto';
import type { Router } from 'zeromq';
import { NOTIFY_CONNECT, NOTIFY_NEVER, setDisconnectMessage, setRouterNotify } from '../libzmq/options.ts';

/** Bytes of a farewell: too many to guess. */
const FAREWELL_BYTES = 16;

export class PeerNotices {
  private readonly farewell = randomBytes(FAREWELL_BYTES);

  private constructor() {}

  /**
   * Enables the notices of a socket before it is bound. Returns undefined if the library lacks the
   * options.
   *
   * @param handover whether a routing id may change hands
   */
  static on(socket: Router, handover: boolean): PeerNotices | undefined {
    const notices = new PeerNotices();
    if (!setRouterNotify(socket, NOTIFY_CONNECT)) return undefined;
    if (!setDisconnectMessage(socket, notices.farewell)) {
      setRouterNotify(socket, NOTIFY_NEVER);
      return undefined;
    }
    socket.handover = handover;
    return notices;
  }

  /** Returns the notice in a message; undefined for a message of the peer itself. */
  read(frames: readonly Buffer[]): 'connected' | 'left' | undefined {
    const notice = frames[1];
    if (frames.length !== 2 || notice === undefined) return undefined;
    if (notice.length === 0) return 'connected';
    return notice.equals(this.farewell) ? 'left' : undefined;
  }
}
