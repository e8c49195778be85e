/**
 * CURVE options of sockets. Secret keys are stored where neither logs nor `console.log` show them.
 */
import type { Dealer, Router } from 'zeromq';
import type { Logger } from '../../core/logging/logging.ts';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import { systemClock } from '../../core/time/clock.ts';
import { assertCurve, type CurveKeyPair, checkPublicKey, curveKeyPair, keyPairOf } from './keys.ts';
import { ALLOW_ALL, type PeerAuthenticator, type Side } from './permissions.ts';

/**
 * Minimum time between two log entries about the same rejected key, in ms, and the number of keys
 * remembered for that.
 */
const LOG_AGAIN_AFTER = 60_000;
const MAX_LOGGED_KEYS = 1000;

/** CURVE keys of a node that connects (ZeroMQ RFC 25). Keys are 40 characters of Z85 (RFC 32). */
export interface CurveClientOptions {
  /**
   * Public key of the router or server. All routers that a node connects to share one key pair. While
   * it is replaced, a list of the old and the new key: each connection uses the one that fits.
   */
  readonly serverKey: string | readonly string[];
  /**
   * Secret key of the node.
   *
   * @defaultValue the key of a new pair, which only servers without an `authenticator` accept
   */
  readonly secretKey?: string;
  /**
   * Public key of the node. It must belong to `secretKey`.
   *
   * @defaultValue derived from `secretKey`
   */
  readonly publicKey?: string;
}

/** CURVE keys of a node that binds (ZeroMQ RFC 25). Keys are 40 characters of Z85 (RFC 32). */
export interface CurveServerOptions {
  /** Secret key of the node. */
  readonly secretKey: string;
  /**
   * Public key of the node. It must belong to `secretKey`.
   *
   * @defaultValue derived from `secretKey`
   */
  readonly publicKey?: string;
  /**
   * Decides which peers may connect, and their permissions.
   *
   * @defaultValue every peer that knows the public key is admitted with all permissions
   */
  readonly authenticator?: PeerAuthenticator;
  /**
   * Name that the authenticator receives for this node. An allow list can admit a key in some
   * domains only.
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

/** CURVE keys of a connecting node. */
export class CurveClient {
  #keys: CurveKeyPair;
  #serverKeys: readonly string[];
  /** Counts the changes of the keys. */
  #version = 0;

  /**
   * @throws {ZeroMQConfigError} when an option is invalid; the message names it and never contains
   *   the secret key
   */
  constructor({ serverKey, secretKey, publicKey }: CurveClientOptions) {
    assertCurve();
    this.#serverKeys = [serverKey].flat().map((key) => checkPublicKey('curve.serverKey', key));
    if (this.#serverKeys.length === 0)
      throw new ZeroMQConfigError('curve.serverKey must not be an empty list');
    if (secretKey === undefined && publicKey !== undefined) {
      throw new ZeroMQConfigError('curve.secretKey is missing: a publicKey needs its secretKey');
    }
    this.#keys = secretKey === undefined ? curveKeyPair() : keyPairOf('curve', secretKey, publicKey);
  }

  /**
   * Replaces the keys of a node. Its sockets use them for later connections. Without a secret key,
   * the node keeps its key pair.
   *
   * @throws {ZeroMQConfigError} when an option is invalid, or the node has no keys.
   */
  static update(client: CurveClient | undefined, options: CurveClientOptions): void {
    const next = new CurveClient(options);
    if (client === undefined)
      throw new ZeroMQConfigError('curve: encryption cannot be added while a node runs');
    if (options.secretKey !== undefined) client.#keys = next.#keys;
    client.#serverKeys = next.#serverKeys;
    client.#version += 1;
  }

  /** Chooses the keys for the connections of one socket. */
  keysFor(socket: Router | Dealer): CurveChoice {
    let next = 0;
    let used = { version: 0, index: 0 };
    return {
      apply: () => {
        used = { version: this.#version, index: next };
        socket.curveServerKey = this.#serverKeys[next % this.#serverKeys.length] ?? '';
        socket.curvePublicKey = this.#keys.publicKey;
        socket.curveSecretKey = this.#keys.secretKey;
      },
      failed: () => {
        const isCurrent = used.version === this.#version;
        if (isCurrent && this.#serverKeys.length === 1) return false;
        next = isCurrent ? used.index + 1 : 0;
        return true;
      },
    };
  }
}

/** The keys of a socket that connects. */
export interface CurveChoice {
  /** Uses the keys for the next connection. */
  apply(): void;
  /** Called when the peer did not accept the keys. Returns whether there are others to try. */
  failed(): boolean;
}

/** CURVE keys and admission rules of a binding node. */
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
      authenticator = ALLOW_ALL,
      domain = 'global',
      connectionsPerKey = 1000,
    } = options;
    this.#keys = keyPairOf('curve', secretKey, publicKey);
    this.publicKey = this.#keys.publicKey;
    this.authenticator = authenticator;
    this.domain = domain;
    this.connectionsPerKey = connectionsPerKey;
    if (typeof domain !== 'string' || domain === '') {
      throw new ZeroMQConfigError(`curve.domain must be a non-empty string, got ${JSON.stringify(domain)}`);
    }
    if (!Number.isInteger(connectionsPerKey) || connectionsPerKey < 1) {
      throw new ZeroMQConfigError(
        `curve.connectionsPerKey must be a whole number of at least 1, got ${String(connectionsPerKey)}`,
      );
    }
  }

  /** Returns the CURVE endpoint of a binding socket. It logs rejected peers. */
  endpoint(side: Side, logger: Logger): CurveEndpoint {
    const loggedAt = new Map<string, number>();
    const peerRejected = (publicKey: string, address: string, reason: string): void => {
      const now = systemClock.now();
      if (now - (loggedAt.get(publicKey) ?? -Infinity) < LOG_AGAIN_AFTER) return;
      if (loggedAt.size >= MAX_LOGGED_KEYS) loggedAt.clear();
      loggedAt.set(publicKey, now);
      logger.warn({ publicKey, address, side, reason }, 'rejected a peer');
    };
    return { server: this, side, peerRejected };
  }

  applyTo(socket: Router | Dealer): void {
    socket.curveServer = true;
    socket.curvePublicKey = this.#keys.publicKey;
    socket.curveSecretKey = this.#keys.secretKey;
  }
}

/** CURVE of one binding socket. */
export interface CurveEndpoint {
  readonly server: CurveServer;
  readonly side: Side;
  /** Called for each rejected peer, with the reason. */
  peerRejected(publicKey: string, address: string, reason: string): void;
}
