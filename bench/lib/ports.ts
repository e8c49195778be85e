/** Free ports, for the few programs that cannot pick one and tell it. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** As many ports as asked for, all free on the loopback a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  const ports: number[] = [];
  for (const server of servers) {
    if (!server.listening) await once(server, 'listening');
    ports.push((server.address() as AddressInfo).port);
  }
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
  return ports;
}
