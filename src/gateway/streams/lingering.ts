/** Closes connections whose client may still be sending. */
import type { Socket } from 'node:net';

/** How long the rest of a request is discarded, in ms. */
const LINGER = 2000;

/**
 * Makes a connection that closes after its response read on for a while. The kernel answers bytes
 * that are not read with a reset, which can discard the response before the client has read it.
 */
export function lingerOnClose(socket: Socket): void {
  socket.destroySoon = () => {
    socket.end();
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), LINGER).unref();
    socket.once('end', () => socket.destroy());
    socket.once('close', () => clearTimeout(timer));
  };
}
