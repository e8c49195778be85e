/**
 * Detects that a client disconnects.
 *
 * A response emits `close` with its connection, but not while it waits behind other responses of
 * the connection. Such responses share one listener on the socket.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const waiting = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls the listener when the response is sent or the client disconnects. It may be called twice.
 * @returns a function that removes the listener from the socket; undefined if it has none there.
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
