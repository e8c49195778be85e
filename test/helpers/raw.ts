/** Bare ZeroMQ sockets, with which a test can send anything. They close with the test. */
import { Dealer, Router } from 'zeromq';
import { toConnection } from '../../src/transport/addressing/connection.ts';
import { bindSocket } from '../../src/transport/socket/bind.ts';
import { within } from './eventually.ts';
import { PATIENCE } from './patience.ts';
import type { Cleanup } from './scope.ts';

export type Frame = Buffer | string;

/** Returns a DEALER that connects, as a client, worker or sender of heartbeats does. */
export function rawDealer(cleanup: Cleanup, endpoint: string, routingId?: string): Dealer {
  const socket = newDealer(cleanup, routingId);
  socket.connect(endpoint);
  return socket;
}

/** Like `rawDealer`, but waits until the other side has accepted the connection. */
export async function connectedDealer(
  cleanup: Cleanup,
  endpoint: string,
  routingId?: string,
): Promise<Dealer> {
  const socket = newDealer(cleanup, routingId);
  const connected = new Promise((resolve) => socket.events.on('handshake', resolve));
  socket.connect(endpoint);
  await within(connected, `a connection to ${endpoint}`);
  return socket;
}

/** Resolves when the connection of a socket is closed. Call it before that can happen. */
export function isCut(socket: Dealer): Promise<unknown> {
  return within(new Promise((resolve) => socket.events.on('disconnect', resolve)), 'the end of a connection');
}

function newDealer(cleanup: Cleanup, routingId: string | undefined): Dealer {
  const socket = new Dealer({ linger: 0, receiveTimeout: PATIENCE, sendTimeout: PATIENCE });
  cleanup.after(() => socket.close());
  if (routingId !== undefined) socket.routingId = routingId;
  return socket;
}

/** Returns a bound DEALER, like the backend of a classic router, and its endpoint. */
export async function rawBackend(cleanup: Cleanup): Promise<{ socket: Dealer; endpoint: string }> {
  const socket = new Dealer({ linger: 0, receiveTimeout: PATIENCE, sendTimeout: PATIENCE });
  cleanup.after(() => socket.close());
  await socket.bind('tcp://127.0.0.1:*');
  return { socket, endpoint: socket.lastEndpoint ?? '' };
}

/** Returns a bound ROUTER and its endpoint. */
export async function rawRouter(
  cleanup: Cleanup,
  place = 'tcp://127.0.0.1:0',
): Promise<{ socket: Router; endpoint: string }> {
  const socket = new Router({ linger: 0, receiveTimeout: PATIENCE, mandatory: true });
  cleanup.after(() => socket.close());
  await bindSocket(socket, toConnection(place), () => false);
  return { socket, endpoint: socket.lastEndpoint ?? '' };
}

/** Returns frames as text, for comparison. */
export function texts(frames: readonly Buffer[]): string[] {
  return frames.map(String);
}
