/**
 * CURVE options of sockets. Secret keys are stored where neither logs nor `console.log` show them.
 */
import type { Dealer, Router } from 'zeromq';
import type { Logger } from '../../core/logging/logging.ts';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import { systemClock } from '../../core/time/clock.ts';
import { assertCurve, type CurveKeyPair, checkPublicKey, curveKeyPair, keyPairOf } from './keys.ts';
import { ALL_CALLERS, type PeerAuthenticator, type Side } from './permissions.ts';

/**
 * Interval, in ms, at which the log reports a rejected key again, and the number of keys remembered
 * for that.
 */
const TELL_AGAIN = 60_000;
const MOST_TOLD = 1000;

/** CURVE keys of a node that connects (ZMTP RFC 25). Keys are 40 characters of Z85. */
export interface CurveClientOptions {
  /** Public key of the router or server. Several that a node connects to share one key pair. */
  readonly serverKey: string;
  /**
   * Secret key of the node; `publicKey` is optional.
   *
   * @defaultValue a new key pair, for servers without an authenticator
   */
  readonly secretKey?: string;
  readonly publicKey?: string;
}

/** CURVE keys of a node that binds (ZMTP RFC 25). Keys are 40 characters of Z85. */
export interface CurveServerOptions {
  /** Secret key of the node; `publicKey` is optional. */
  readonly secretKey: string;
  readonly publicKey?: string;
  /**
   * Decides which peers may connect, and what they may do.
   *
   * @defaultValue every peer that knows the public key may do everything
   */
  readonly authenticator?: PeerAuthenticator;
  /**
   * Name of the ZAP domain (ZeroMQ RFC 27). An allow list distinguishes nodes by it.
   *
   * @defaultValue `'global'`
   */
  readonly domain?: string;
  /**
   * Maximum number of concurrent connections per key and socket. Further ones are rejected for now.
   *
   * @defaultValue 1,000
   */
  readonly connectionsPerKey?: number;
}

/** CURVE of a connecting node. */
export class CurveClient {
  readonly #keys: CurveKeyPair;
  readonly #serverKey: string;

  /**
   * @throws {ZeroMQConfigError} when an option is invalid; the message names it and never contains
   *   the secret key
   */
  constructor({ serverKey, secretKey, publicKey }: CurveClientOptions) {
    assertCurve();
    this.#serverKey = checkPublicKey('curve.serverKey', serverKey);
    if (secretKey === undefined && publicKey !== undefined) {
      throw new ZeroMQConfigError('curve.secretKey is missing: a publicKey alone opens nothing');
    }
    this.#keys = secretKey === undefined ? curveKeyPair() : keyPairOf('curve', secretKey, publicKey);
  }

  applyTo(socket: Router | Dealer): void {
    socket.curveServerKey = this.#serverKey;
    socket.curvePublicKey = this.#keys.publicKey;
    socket.curveSecretKey = this.#keys.secretKey;
  }
}

/** CURVE of a binding node. */
export class CurveServer {
  readonly publicKey: string;
  readonly authenticator: PeerAuthenticator;
  readonly domain: string;
  readonly connectionsPerKey: number;
  readonly #keys: CurveKeyPair;

  /**
   * @throws {ZeroMQConfigError} when an option is invalid; the message names it and never contains
   *   the secret key
   */
  constructor(options: CurveServerOptions) {
    assertCurve();
    const {
      secretKey,
      publicKey,
      authenticator = ALL_CALLERS,
      domain = 'global',
      connectionsPerKey = 1000,
    } = options;
    this.#keys = keyPairOf('curve', secretKey, publicKey);
    this.publicKey = this.#keys.publicKey;
    this.authenticator = authenticator;
    this.domain = domain;
    this.connectionsPerKey = connectionsPerKey;
    if (typeof domain !== 'string' || domain === '') {
      throw new ZeroMQConfigError(
        `curve.domain must be a text that is not empty, got ${JSON.stringify(domain)}`,
      );
    }
    if (!Number.isInteger(connectionsPerKey) || connectionsPerKey < 1) {
      throw new ZeroMQConfigError(
        `curve.connectionsPerKey must be a whole number of at least 1, got ${String(connectionsPerKey)}`,
      );
    }
  }

  /** Returns the CURVE endpoint of a socket that binds. It logs rejected peers. */
  at(side: Side, logger: Logger): CurveEndpoint {
    const told = new Map<string, number>();
    const turnedAway = (publicKey: string, address: string, reason: string): void => {
      const now = systemClock.now();
      if (now - (told.get(publicKey) ?? -Infinity) < TELL_AGAIN) return;
      if (told.size >= MOST_TOLD) told.clear();
      told.set(publicKey, now);
      logger.warn({ publicKey, address, side, reason }, 'a peer was turned away');
    };
    return { server: this, side, turnedAway };
  }

  applyTo(socket: Router | Dealer): void {
    socket.curveServer = true;
    socket.curvePublicKey = this.#keys.publicKey;
    socket.curveSecretKey = this.#keys.secretKey;
  }
}

/** CURVE of a socket that binds. */
export interface CurveEndpoint {
  readonly server: CurveServer;
  readonly side: Side;
  /** Called for each rejected peer, with the reason. */
  turnedAway(publicKey: string, address: string, reason: string): void;
}
