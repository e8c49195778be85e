/** What sockets are given to speak CURVE. Secret keys are kept where neither logs nor `console.log` find them. */
import type { Dealer, Router } from 'zeromq';
import type { Logger } from '../../core/logging/logging.ts';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import { systemClock } from '../../core/time/clock.ts';
import { assertCurve, type CurveKeyPair, checkPublicKey, curveKeyPair, keyPairOf } from './keys.ts';
import { ALL_CALLERS, type PeerAuthenticator, type Side } from './permissions.ts';

/** Who is turned away is told once in so many ms for each key, and so many keys are remembered for that. */
const TELL_AGAIN = 60_000;
const MOST_TOLD = 1000;

/** CURVE for a node that connects. Keys are 40 characters of Z85. */
export interface CurveClientOptions {
  /** Public key of the router or server; several of them that a node connects to share one pair. */
  readonly serverKey: string;
  /** The node's own keys; `publicKey` may be left out. Default: a new pair, for servers that let everybody in. */
  readonly secretKey?: string;
  readonly publicKey?: string;
}

/** CURVE for a node that binds. Keys are 40 characters of Z85. */
export interface CurveServerOptions {
  /** The node's own keys; `publicKey` may be left out. */
  readonly secretKey: string;
  readonly publicKey?: string;
  /** Who is let in, and what they may do. Default: whoever knows the public key, everything. */
  readonly authenticator?: PeerAuthenticator;
  /** Name of the ZAP domain, by which an allow list tells nodes apart. Default `global`. */
  readonly domain?: string;
  /** Connections to a socket at a time with one key; more are turned away for now. Default 1,000. */
  readonly connectionsPerKey?: number;
}

/** CURVE of a connecting node. */
export class CurveClient {
  readonly #keys: CurveKeyPair;
  readonly #serverKey: string;

  /** @throws ZeroMQConfigError naming the option that is not acceptable; secret keys are not told. */
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

  /** @throws ZeroMQConfigError naming the option that is not acceptable; secret keys are not told. */
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

  /** For a socket that binds; the log tells who was turned away. */
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
  /** Told of whom was not let in, and why. */
  turnedAway(publicKey: string, address: string, reason: string): void;
}
