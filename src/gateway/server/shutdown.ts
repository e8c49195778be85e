/** Shuts a gateway down: drains it, then ends what is left at the deadline. */
import type { Server } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { runInSlices, type Steps } from '../../core/time/steps.ts';
import type { GatewayContext } from '../context/gateway-context.ts';

/** Time for the last responses to reach their clients after the deadline, in ms. */
const FLUSH_TIME = 50;

/** Maximum connections accepted during shutdown: twice the backlog that Node requests. */
const MAX_BACKLOG = 1024;

/**
 * Stops a gateway. Its own server stops listening, still serves requests on open connections, and
 * closes each connection with its next response. A gateway that is mounted in another server
 * rejects new requests at once.
 * @param deadline time after which requests in flight are aborted, in milliseconds.
 */
export async function closeGateway(gateway: GatewayContext, server: Server, deadline: number): Promise<void> {
  gateway.draining = true;
  const { listening } = server;
  if (!listening) gateway.closed = true;
  gateway.streams.drain();
  const requests = gateway.requests?.close(deadline);
  const closed = listening ? stopListening(server) : Promise.resolve();
  const finished = Promise.all([closed, idle(gateway)]);
  if (!(await within(finished, deadline))) {
    gateway.closed = true;
    await runInSlices(aborting(gateway));
    await within(finished, FLUSH_TIME);
    server.closeAllConnections();
    await closed;
  }
  await requests;
  gateway.closed = true;
}

/**
 * Aborts the exchanges in flight, in steps of one. There may be thousands, and the program that closes the gateway
 * may have a deadline of its own. A closed gateway starts no further ones.
 */
function* aborting(gateway: GatewayContext): Steps<void> {
  for (const exchange of [...gateway.exchanges]) {
    exchange.abort();
    yield;
  }
}

/**
 * Stops listening once all pending connections are accepted. Resolves when all connections have
 * ended.
 */
async function stopListening(server: Server): Promise<void> {
  await acceptBacklog(server);
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

/**
 * Accepts the connections that the kernel has established but the server has not accepted yet.
 * Closing the listening socket would reset them, although their clients may have sent a request.
 * The event loop accepts one connection per turn, so a turn without a new connection means that
 * none is left.
 */
async function acceptBacklog(server: Server): Promise<void> {
  let accepted = 0;
  const count = (): void => {
    accepted += 1;
  };
  server.on('connection', count);
  // This turn may be past its accept phase, so the next turn is the first complete one.
  await nextTurn();
  for (let before = -1; before < accepted && accepted < MAX_BACKLOG; ) {
    before = accepted;
    await nextTurn();
  }
  server.off('connection', count);
}

/** Resolves when no exchange is in flight. */
function idle(gateway: GatewayContext): Promise<void> {
  if (gateway.exchanges.length === 0) return Promise.resolve();
  return new Promise((resolve) => {
    gateway.onIdle = resolve;
  });
}

/** Whether a promise resolves within a time in ms. */
async function within(promise: Promise<unknown>, time: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), time);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
