/**
 * What a ROUTER says of its peers: `[id, ""]` is the first thing it reads of a connection (ZMQ_ROUTER_NOTIFY), and
 * `[id, farewell]` the last one (ZMQ_DISCONNECT_MSG). The farewell is random bytes that no peer knows, so a peer cannot say of
 * itself that it is gone. It can say `[id, ""]`, which looks like a new connection under its id.
 *
 * With them a routing id can change hands (ZMQ_ROUTER_HANDOVER): a peer that connects anew is heard, although the router
 * has not missed its old connection yet. libzmq then gives the old connection an id of its own making, under which what is
 * left of it may still be read.
 */
import { randomBytes } from 'node:crypto';
import type { Router } from 'zeromq';
import { NOTIFY_CONNECT, NOTIFY_NEVER, setDisconnectMessage, setRouterNotify } from '../libzmq/options.ts';

/** Bytes of a farewell: more than anybody guesses. */
const FAREWELL_BYTES = 16;

export class PeerNotices {
  private readonly farewell = randomBytes(FAREWELL_BYTES);

  private constructor() {}

  /**
   * Turns the notices of a socket on, before it is bound; undefined where the library has no such options.
   *
   * @param handover whether a routing id changes hands.
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

  /** What a message says of its peer; undefined when it is one of the peer's own. */
  read(frames: readonly Buffer[]): 'came' | 'gone' | undefined {
    const notice = frames[1];
    if (frames.length !== 2 || notice === undefined) return undefined;
    if (notice.length === 0) return 'came';
    return notice.equals(this.farewell) ? 'gone' : undefined;
  }
}
