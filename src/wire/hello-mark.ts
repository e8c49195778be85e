/**
 * The mark of workers that say hello: their routing ids begin with it, so a router recognises them as soon as they
 * connect. It never treats such a worker as a classic one, however late the hello is. Routing ids of classic nodes begin
 * with their node id.
 */

/** The beginning of the routing id of a worker that says hello. */
export const HELLO_MARK = '$hello.';

/** The routing id of a worker that says hello, or the beginning of one. */
export function withHelloMark(identity: string): string {
  return HELLO_MARK + identity;
}

/** Whether the peer with this routing id (in Latin-1) says hello. */
export function saysHello(routingId: string): boolean {
  return routingId.startsWith(HELLO_MARK);
}
