/** Free ports, for programs that cannot pick one and tell it, and for those that are started again. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * Below the ports that Linux gives to whoever connects (`ip_local_port_range`, 32768 on): any of those may be taken
 * between the end of a process and its next start.
 */
const FROM = 10_240;
const TO = 32_768;

/** As many ports as asked for, all free on the loopback a moment ago. */
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

/** A port that was free on the loopback a moment ago. */
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
