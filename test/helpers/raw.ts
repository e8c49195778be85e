/**
 * Peers that speak whatever a test makes them speak: bare ZeroMQ sockets, closed with the test.
 */
import { Dealer, Router } from 'zeromq';
import { toConnection } from '../../src/transport/addressing/connection.ts';
import { bindSocket } from '../../src/transport/socket/bind.ts';
import { within } from './eventually.ts';
import type { Cleanup } from './scope.ts';

export type Frame = Buffer | string;

/** Time that a bare socket waits for a message, ms. */
const RECEIVE_TIMEOUT = 10_000;

/** A DEALER that connects: a client, a worker, or a sender of heartbeats. */
export function rawDealer(cleanup: Cleanup, endpoint: string, routingId?: string): Dealer {
  const socket = newDealer(cleanup, routingId);
  socket.connect(endpoint);
  return socket;
}

/** The same, once the other side has taken the connection. */
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

/** Resolves when the connection of a socket is cut; call it before that can happen. */
export function isCut(socket: Dealer): Promise<unknown> {
  return within(new Promise((resolve) => socket.events.on('disconnect', resolve)), 'the end of a connection');
}

function newDealer(cleanup: Cleanup, routingId: string | undefined): Dealer {
  const socket = new Dealer({ linger: 0, receiveTimeout: RECEIVE_TIMEOUT, sendTimeout: RECEIVE_TIMEOUT });
  cleanup.after(() => socket.close());
  if (routingId !== undefined) socket.routingId = routingId;
  return socket;
}

/** A DEALER that is bound, as the backend of a classic router, and where. */
export async function rawBackend(cleanup: Cleanup): Promise<{ socket: Dealer; endpoint: string }> {
  const socket = new Dealer({ linger: 0, receiveTimeout: RECEIVE_TIMEOUT, sendTimeout: RECEIVE_TIMEOUT });
  cleanup.after(() => socket.close());
  await socket.bind('tcp://127.0.0.1:*');
  return { socket, endpoint: socket.lastEndpoint ?? '' };
}

/** A ROUTER that is bound, and where. */
export async function rawRouter(
  cleanup: Cleanup,
  place = 'tcp://127.0.0.1:0',
): Promise<{ socket: Router; endpoint: string }> {
  const socket = new Router({ linger: 0, receiveTimeout: RECEIVE_TIMEOUT, mandatory: true });
  cleanup.after(() => socket.close());
  await bindSocket(socket, toConnection(place), () => false);
  return { socket, endpoint: socket.lastEndpoint ?? '' };
}

/** Frames as text, for comparing. */
export function texts(frames: readonly Buffer[]): string[] {
  return frames.map(String);
}
