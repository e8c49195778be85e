/**
 * Churn: clients and HTTP connections that are opened and closed, some of them in the middle of a
 * request.
 */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger, ZeroMQClient } from 'zeromq-gateway';
import type { Random } from './random.ts';

const CLIENTS = 10;
const CONNECTIONS = 60;
/** Maximum duration of a connection, in milliseconds. */
const MAX_STAY = 1000;

/** Event of the churn's requests. No request in the checker's log uses it. */
const EVENT = 'soak.none';

/**
 * Opens clients that connect to every router, send one request, and close with or without waiting
 * for its reply.
 */
export async function churnClients(frontends: readonly string[], random: Random): Promise<void> {
  for (let index = 0; index < CLIENTS; index += 1) {
    const client = new ZeroMQClient({ connection: frontends, logger: silentLogger });
    const reply = client.sendMessage(EVENT, { index }, { timeout: MAX_STAY }).catch(() => undefined);
    if (random.next() < 0.5) await reply;
    else await sleep(random.between(0, 20));
    await client.close();
  }
}

/**
 * Opens HTTP connections: idle, with an incomplete request, or with a complete request whose caller
 * does not wait.
 */
export async function churnConnections(urls: readonly string[], random: Random): Promise<void> {
  const requests = [
    '',
    'GET /openapi.json HTTP/1.1\r\nHo',
    'PUT /soak/none HTTP/1.1\r\nHost: soak\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"wait":',
    'GET /openapi.json HTTP/1.1\r\nHost: soak\r\nConnection: close\r\n\r\n',
    'GET /readyz HTTP/1.1\r\nHost: soak\r\n\r\n',
  ];
  await Promise.all(
    Array.from({ length: CONNECTIONS }, () =>
      visit(random.pick(urls), random.pick(requests), random.between(0, MAX_STAY)),
    ),
  );
}

/** Opens a connection, sends a text, and closes the connection after a while. */
async function visit(url: string, text: string, stay: number): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined); // The gateway may be down, or close the connection first.
  socket.resume();
  const closed = new Promise((resolve) => socket.once('close', resolve));
  if (text !== '') socket.write(text);
  const timer = setTimeout(() => socket.destroy(), stay);
  await closed;
  clearTimeout(timer);
}
