/**
 * ZAP (RFC 27). For each peer that connects to a socket with a domain, libzmq asks a handler at
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

/** A peer in its handshake that requests admission. */
export interface ConnectingPeer {
  readonly publicKey: string;
  /** IP address; empty over IPC. */
  readonly address: string;
  /** The return route to the connection that waits for the answer. */
  readonly route: Buffer;
  readonly requestId: Buffer;
}

/**
 * The answer to libzmq: accept or reject. (With 300, "try later", libzmq would leave the peer
 * waiting.)
 */
type Verdict = 200 | 400;

/** Decides for the sockets of one domain. */
export interface AdmissionHandler {
  /** Answers through `Zap.answer`, now or later. */
  asked(applicant: ConnectingPeer): void;
}

/**
 * libzmq releases the address a moment after the previous handler was closed. How long to wait for
 * that, in ms.
 */
const BIND_PATIENCE = 500;
const BIND_INTERVAL = 5;

let shared: Zap | undefined;

/** The ZAP handler of this process. */
export class Zap {
  private readonly porters = new Map<string, AdmissionHandler>();
  private readonly socket = new Router({ mandatory: true, linger: 0, sendTimeout: 0 });

  /**
   * Starts to answer for a domain.
   *
   * @throws {ZeroMQSocketInvalid} when other code in this process handles ZAP
   */
  static async open(domain: string, porter: AdmissionHandler): Promise<Zap> {
    const end = systemClock.now() + BIND_PATIENCE;
    while (shared === undefined) {
      try {
        shared = new Zap();
      } catch (error) {
        if (systemClock.now() > end) throw error;
        await delay(BIND_INTERVAL);
      }
    }
    shared.porters.set(domain, porter);
    return shared;
  }

  private constructor() {
    try {
      this.socket.bindSync(ENDPOINT);
    } catch (cause) {
      this.socket.close();
      const message = `cannot bind ${ENDPOINT}: ${toError(cause).message}; only one ZAP handler fits into a process`;
      throw new ZeroMQSocketInvalid('EADDRINUSE', message, { cause });
    }
    void this.read();
  }

  /** Stops answering for a domain. */
  close(domain: string): void {
    this.porters.delete(domain);
    if (this.porters.size > 0 || shared !== this) return;
    shared = undefined;
    this.socket.close();
  }

  answer({ route, requestId }: ConnectingPeer, verdict: Verdict): void {
    this.send([
      route,
      NO_BYTES,
      VERSION,
      requestId,
      String(verdict),
      verdict === 200 ? 'OK' : 'refused',
      NO_BYTES,
      NO_BYTES,
    ]);
  }

  /**
   * Whether the connection of a peer still exists. It does not read what is sent after the answer.
   */
  async isThere({ route }: ConnectingPeer): Promise<boolean> {
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
    const applicant: ConnectingPeer = { publicKey, address: address?.toString() ?? '', route, requestId };
    const porter = this.porters.get(domain?.toString() ?? '');
    const readable = version?.toString() === VERSION && mechanism?.toString() === 'CURVE' && publicKey !== '';
    if (porter === undefined || !readable) this.answer(applicant, 400);
    else porter.asked(applicant);
  }
}
