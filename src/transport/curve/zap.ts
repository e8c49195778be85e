/**
 * ZAP (ZeroMQ RFC 27). For each peer that connects to a socket with a domain, libzmq asks a handler at
 * `inproc://zeromq.zap.01`. All sockets of the process share one handler. It opens with the first
 * socket that needs it and closes with the last.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { Router } from 'zeromq';
import { toError, ZeroMQSocketInvalid } from '../../core/messages/errors.ts';
import { NO_BYTES } from '../../core/messages/message.ts';
import { systemClock } from '../../core/time/clock.ts';
import { encodeZ85 } from './z85.ts';

const ENDPOINT = 'inproc://zeromq.zap.01';
const VERSION = '1.0';

/** A peer in its handshake that waits for admission. */
export interface ConnectingPeer {
  readonly publicKey: string;
  /** IP address; empty over IPC. */
  readonly address: string;
  /** Identity of the connection that waits for the answer. */
  readonly route: Buffer;
  readonly requestId: Buffer;
}

/**
 * Status code of an answer: 200 accepts, 400 rejects. With 300 ("temporary error"), libzmq would
 * leave the peer waiting.
 */
type StatusCode = 200 | 400;

/** Decides for the sockets of one domain. */
export interface AdmissionHandler {
  /** Called for each connecting peer. Answers through `Zap.answer`, now or later. */
  authenticate(peer: ConnectingPeer): void;
}

/**
 * How long to retry the bind, in ms. libzmq releases the address a moment after the previous handler
 * was closed.
 */
const BIND_TIMEOUT = 500;
const BIND_INTERVAL = 5;

let shared: Zap | undefined;

/** The ZAP handler of this process. */
export class Zap {
  private readonly handlers = new Map<string, AdmissionHandler>();
  private readonly socket = new Router({ mandatory: true, linger: 0, sendTimeout: 0 });

  /**
   * Starts to answer for a domain.
   *
   * @throws {ZeroMQSocketInvalid} when other code in this process handles ZAP
   */
  static async open(domain: string, handler: AdmissionHandler): Promise<Zap> {
    const end = systemClock.now() + BIND_TIMEOUT;
    while (shared === undefined) {
      try {
        shared = new Zap();
      } catch (error) {
        if (systemClock.now() > end) throw error;
        await delay(BIND_INTERVAL);
      }
    }
    shared.handlers.set(domain, handler);
    return shared;
  }

  private constructor() {
    try {
      this.socket.bindSync(ENDPOINT);
    } catch (cause) {
      this.socket.close();
      const message = `cannot bind ${ENDPOINT}: ${toError(cause).message}; another ZAP handler runs in this process, and only one is possible`;
      throw new ZeroMQSocketInvalid('EADDRINUSE', message, { cause });
    }
    void this.read();
  }

  /** Stops answering for a domain. */
  close(domain: string): void {
    this.handlers.delete(domain);
    if (this.handlers.size > 0 || shared !== this) return;
    shared = undefined;
    this.socket.close();
  }

  /** Accepts or rejects a peer. */
  answer({ route, requestId }: ConnectingPeer, status: StatusCode): void {
    this.send([
      route,
      NO_BYTES,
      VERSION,
      requestId,
      String(status),
      status === 200 ? 'OK' : 'rejected',
      NO_BYTES,
      NO_BYTES,
    ]);
  }

  /**
   * Whether the connection of a peer still exists. Sends an empty message to it, which libzmq does
   * not read after the answer.
   */
  async isConnected({ route }: ConnectingPeer): Promise<boolean> {
    try {
      await this.socket.send([route, NO_BYTES]);
      return true;
    } catch {
      return false;
    }
  }

  private send(frames: (string | Buffer)[]): void {
    // A message that cannot be sent belongs to a lost connection.
    this.socket.send(frames).catch(() => undefined);
  }

  private async read(): Promise<void> {
    try {
      for await (const frames of this.socket) this.handle(frames);
    } catch (error) {
      if (shared === this) process.emitWarning(toError(error), { code: 'ZEROMQ_GATEWAY_ZAP' });
    }
  }

  private handle(frames: Buffer[]): void {
    const [route, , version, requestId, domain, address, , mechanism, credentials] = frames;
    if (route === undefined || requestId === undefined) return;
    const publicKey = credentials?.length === 32 ? encodeZ85(credentials) : '';
    const peer: ConnectingPeer = { publicKey, address: address?.toString() ?? '', route, requestId };
    const handler = this.handlers.get(domain?.toString() ?? '');
    const valid = version?.toString() === VERSION && mechanism?.toString() === 'CURVE' && publicKey !== '';
    if (handler === undefined || !valid) this.answer(peer, 400);
    else handler.authenticate(peer);
  }
}
