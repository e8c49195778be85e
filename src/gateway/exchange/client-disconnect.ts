/**
 * Clients that go away. A response tells when its connection closes, but not while it waits in the pipe behind others
 * and has no connection yet; then the connection itself is asked, with one listener for all that wait on it.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const waiting = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls the listener when the response is sent or the client gone, possibly twice.
 * @returns stops that, as far as the connection is concerned.
 */
export function onDisconnect(
  res: ServerResponse,
  socket: Socket,
  listener: () => void,
): (() => void) | undefined {
  res.on('close', listener);
  if (res.socket !== null) return undefined;
  let listeners = waiting.get(socket);
  if (listeners === undefined) {
    listeners = new Set();
    waiting.set(socket, listeners);
    const all = listeners;
    socket.once('close', () => {
      for (const each of [...all]) each();
    });
  }
  listeners.add(listener);
  const own = listeners;
  return () => own.delete(listener);
}
