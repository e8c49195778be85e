/** Why the connection of a socket with one peer is not established. */
import type { ZeroMQConnection } from '../addressing/connection.ts';
import type { MonitorEvent, ZeroMQSocketMonitor } from '../libzmq/socket-monitor.ts';
import { whyUnreachable } from './unreachable.ts';

/** What a watch of the trouble needs. */
export interface TroubleOptions {
  readonly monitor: ZeroMQSocketMonitor;
  readonly connection: ZeroMQConnection;
  /** The socket has CURVE keys. */
  readonly encrypted: boolean;
}

/** Calls `report` with the reason whenever an attempt to connect fails. */
export function watchTrouble(
  { monitor, connection, encrypted }: TroubleOptions,
  report: (reason: string) => void,
  why: typeof whyUnreachable = whyUnreachable,
): void {
  let reached = false;
  let looking = false;
  let done = false;
  monitor.on('connect:delay', () => {
    reached = false;
  });
  monitor.on('connect', () => {
    reached = true;
  });
  monitor.on('handshake', () => {
    done = true;
  });
  monitor.on('disconnect', () => {
    done = false;
  });
  monitor.on('status', (status) => {
    if (status === 'closed') done = true;
  });
  monitor.on('handshake:error:auth', () => report(REJECTED));
  monitor.on('handshake:error:protocol', (event) => report(protocolTrouble(event, encrypted)));
  monitor.on('handshake:error:other', () => report(encrypted ? WRONG_SERVER_KEY : NOT_ZMTP));
  monitor.on('connect:retry', () => {
    const refused = !reached;
    reached = false;
    if (!refused || looking) return;
    looking = true;
    void why(connection).then((reason) => {
      looking = false;
      if (reason !== undefined && !done) report(reason);
    });
  });
}

const REJECTED =
  'CURVE handshake failed: the other side rejects the public key of this node; check the key pair of ' +
  'this node, and that the allow list of the other side has its public key with the right role and domain';

const WRONG_SERVER_KEY =
  'CURVE handshake failed: the other side cannot decrypt the handshake; check that the server key of ' +
  'this node is the public key of the other side, and that the address belongs to it';

const NOT_ZMTP =
  'the other side closed the connection during the handshake: either it requires encryption and this ' +
  'node has no keys, or the address does not belong to a ZeroMQ node';

const NO_KEYS_HERE =
  'CURVE handshake failed: the other side requires encryption, and this node has no keys; configure the ' +
  'public key of the other side as the server key, and a key pair if the other side has an allow list';

const NO_KEYS_THERE =
  'CURVE handshake failed: this node has a server key, but the other side has no CURVE key pair; ' +
  'give the other side a key pair, or remove the keys of this node';

function protocolTrouble({ error }: MonitorEvent, encrypted: boolean): string {
  const code = error !== undefined && 'code' in error ? String(error.code) : undefined;
  if (code === 'ERR_ZMTP_MECHANISM_MISMATCH') return encrypted ? NO_KEYS_THERE : NO_KEYS_HERE;
  if (encrypted && code === 'ERR_ZMTP_CRYPTOGRAPHIC') return WRONG_SERVER_KEY;
  return `the handshake failed: the other side violates the protocol of ZeroMQ (${code ?? 'unknown error'})`;
}
