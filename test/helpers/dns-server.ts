/** A DNS server on loopback with the A, AAAA and SRV records that a test sets. */
import { createSocket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import { type Answer, decode, encode } from 'dns-packet';
import { emissions, eventually } from './eventually.ts';
import type { Cleanup } from './scope.ts';

export interface Zone {
  /** Addresses by host. IPv4 addresses become A records, others AAAA records. */
  readonly hosts?: Readonly<Record<string, readonly string[]>>;
  /** Hosts and ports by service name. */
  readonly services?: Readonly<Record<string, readonly { name: string; port: number }[]>>;
}

export class DnsServer {
  /** Number of queries so far. */
  queryCount = 0;
  /** While it is true, every reply is SERVFAIL. */
  broken = false;
  private readonly socket = createSocket('udp4');
  private readonly changes = new EventEmitter().setMaxListeners(0);

  private constructor(public zone: Zone) {
    this.socket.on('message', (message, { port, address }) => {
      this.socket.send(this.answer(message), port, address);
      this.queryCount += 1;
      this.changes.emit('query');
    });
  }

  static async start(
    cleanup: Cleanup,
    zone: Zone,
    { address = '127.0.0.1', port = 0 } = {},
  ): Promise<DnsServer> {
    const server = new DnsServer(zone);
    server.socket.bind(port, address);
    await once(server.socket, 'listening');
    cleanup.after(() => server.socket.close());
    return server;
  }

  /** The server, for `dns://SERVER/…`. */
  get address(): string {
    return `127.0.0.1:${this.socket.address().port}`;
  }

  /** Resolves after `count` more queries. */
  async waitForQueries(count: number): Promise<void> {
    const goal = this.queryCount + count;
    await eventually(emissions(this.changes, 'query'), () => this.queryCount >= goal, `${count} DNS queries`);
  }

  private answer(message: Buffer): Buffer {
    const { id, questions = [] } = decode(message);
    const [question] = questions;
    const answers = question === undefined ? [] : this.answersTo(question.type, question.name);
    const known = question !== undefined && this.knows(question.name);
    const rcode = this.broken ? 2 : known ? 0 : 3;
    // QR and RD are set; the low nibble is the response code.
    return encode({ type: 'response', id, flags: 0x0100 | rcode, questions, answers });
  }

  private knows(name: string): boolean {
    return this.zone.hosts?.[name] !== undefined || this.zone.services?.[name] !== undefined;
  }

  private answersTo(type: string, name: string): Answer[] {
    const { hosts = {}, services = {} } = this.zone;
    if (this.broken) return [];
    if (type === 'SRV') {
      return (services[name] ?? []).map(({ name: target, port }) => {
        return { type: 'SRV', name, ttl: 0, data: { target, port, priority: 0, weight: 0 } };
      });
    }
    const addresses = (hosts[name] ?? []).filter((address) => (type === 'A') === !address.includes(':'));
    if (type === 'A') return addresses.map((data) => ({ type: 'A', name, ttl: 0, data }));
    return type === 'AAAA' ? addresses.map((data) => ({ type: 'AAAA', name, ttl: 0, data })) : [];
  }
}
