/**
 * Finds free ports for programs that cannot choose one and report it, and for programs that are
 * restarted on the same port.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * Below the range from which Linux assigns ports to outgoing connections (`ip_local_port_range`,
 * from 32768). A port in that range could be taken between the end of a process and its next start.
 */
const FROM = 10_240;
const TO = 32_768;

/** Returns this many ports. All of them were free on the loopback interface at the same time. */
export async function freePorts(count: number): Promise<number[]> {
  const held = new Map<number, Server>();
  while (held.size < count) {
    const port = randomInt(FROM, TO);
    const server = createServer();
    if (!held.has(port) && (await listens(server, port))) held.set(port, server);
  }
  await Promise.all([...held.values()].map((server) => once(server.close(), 'close')));
  return [...held.keys()];
}

/** Returns a port that was free on the loopback interface. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

async function listens(server: Server, port: number): Promise<boolean> {
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  }
}
