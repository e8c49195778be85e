/** Malicious peers: they send malformed messages and replies that were not requested. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Dealer } from 'zeromq';
import { encodeToken } from '../../src/wire/token.ts';
import type { Random } from './random.ts';

const MESSAGES = 300;
const MAX_LENGTH = 200;

/**
 * Sends garbage to ZeroMQ endpoints: random frames, partially valid ones, and bytes that are not
 * ZMTP.
 */
export async function sendGarbage(endpoints: readonly string[], random: Random): Promise<void> {
  await Promise.all(
    endpoints.flatMap((endpoint) => [randomFrames(endpoint, random), randomBytes(endpoint, random)]),
  );
}

async function randomFrames(endpoint: string, random: Random): Promise<void> {
  const socket = new Dealer({ linger: 0, sendTimeout: 0 });
  socket.connect(endpoint);
  for (let sent = 0; sent < MESSAGES; sent += 1) {
    await socket.send(message(random)).catch(() => undefined); // the queue is full; the message is dropped
    if (sent % 50 === 0) await sleep(5);
  }
  socket.close();
}

function message(random: Random): Buffer[] {
  const noise = (): Buffer => bytes(random, Math.floor(random.between(0, MAX_LENGTH)));
  const json = Buffer.from('{"a":1}');
  const name = Buffer.from('soak.put');
  const forged = encodeToken(Math.floor(random.between(0, 64)), Math.floor(random.between(1, 100_000)));
  return random.pick([
    () => [noise()],
    () => [noise(), noise(), noise(), noise(), noise()],
    () => [Buffer.of(0x00, 0x5a), noise()],
    () => [Buffer.concat([Buffer.of(0x00, 0x5a, 0x01), noise()])],
    () => [Buffer.from('$'), Buffer.alloc(0), Buffer.from('$hello'), noise()],
    () => [Buffer.from('$'), Buffer.alloc(0), Buffer.from('$gone'), json],
    () => [forged, Buffer.alloc(0), name, json],
    () => [Buffer.alloc(0), Buffer.from('heartbeat'), noise()],
  ])();
}

/** Sends bytes on a TCP connection. Either side closes it. */
async function randomBytes(endpoint: string, random: Random): Promise<void> {
  const socket = connect(Number(endpoint.split(':').at(-1)), '127.0.0.1');
  socket.on('error', () => undefined); // closed by the other side
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.end(bytes(random, 512));
  const timer = setTimeout(() => socket.destroy(), 1000);
  await closed;
  clearTimeout(timer);
}

function bytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => Math.floor(random.between(0, 256))));
}
