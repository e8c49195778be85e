/**
 * Encryption and authentication with CURVE (ZeroMQ RFC 25) and ZAP (ZeroMQ RFC 27).
 *
 * `keys.ts` validates keys, and `key-file.ts` stores them. `curve-options.ts` holds the options of
 * sockets. `permissions.ts` and `allow-list.ts` define what peers may do. `zap.ts` answers libzmq,
 * and `admission.ts` records which key belongs to each peer of a socket.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { capability, curveKeyPair as makePair } from 'zeromq';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import { decodeZ85, encodeZ85 } from './z85.ts';

/** A CURVE key pair. Each key is 40 characters of Z85 (ZeroMQ RFC 32). */
export interface CurveKeyPair {
  /** Identifies the node; may be published. */
  readonly publicKey: string;
  /** Known to the node only. */
  readonly secretKey: string;
}

/** Bytes of a key. */
const KEY_BYTES = 32;

/** The bytes before an X25519 private key in PKCS #8. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');

/**
 * Generates a CURVE key pair from the random source of the system.
 *
 * @returns the key pair
 * @throws {ZeroMQConfigError} when the ZeroMQ library was built without CURVE
 * @example
 * ```ts
 * writeKeyFiles('router.key', curveKeyPair());
 * ```
 */
export function curveKeyPair(): CurveKeyPair {
  assertCurve();
  return makePair();
}

/**
 * Checks that the ZeroMQ library supports CURVE.
 *
 * @throws {ZeroMQConfigError} when it was built without
 */
export function assertCurve(): void {
  if (capability.curve !== true)
    throw new ZeroMQConfigError('curve: this ZeroMQ library was built without CURVE');
}

/**
 * Validates a public key and returns it.
 *
 * @throws {ZeroMQConfigError} when the key is invalid; the message names the option and the value
 */
export function checkPublicKey(option: string, value: unknown): string {
  if (isKey(value)) return value;
  throw new ZeroMQConfigError(
    `${option} must be a public key, 40 characters of Z85, got ${JSON.stringify(value)}`,
  );
}

/**
 * Validates a secret key and returns it.
 *
 * @throws {ZeroMQConfigError} when the key is invalid; the message names the option, never the
 *   value
 */
export function checkSecretKey(option: string, value: unknown): string {
  if (isKey(value)) return value;
  throw new ZeroMQConfigError(
    `${option} must be a secret key, 40 characters of Z85; the given value is not (it is not shown here)`,
  );
}

/**
 * Returns the key pair of a secret key.
 *
 * @param publicKey compared with the secret key, if given
 * @throws {ZeroMQConfigError} when a key is invalid, or they are not a pair; the message never
 *   contains the secret key
 */
export function keyPairOf(option: string, secretKey: unknown, publicKey: unknown): CurveKeyPair {
  const secret = checkSecretKey(`${option}.secretKey`, secretKey);
  const derived = publicKeyOf(secret);
  if (publicKey !== undefined && checkPublicKey(`${option}.publicKey`, publicKey) !== derived) {
    throw new ZeroMQConfigError(`${option}: publicKey does not belong to secretKey`);
  }
  return { publicKey: derived, secretKey: secret };
}

/** Whether a value has the form of a key. */
export function isKey(value: unknown): value is string {
  return typeof value === 'string' && decodeZ85(value)?.length === KEY_BYTES;
}

/** Derives the public key of a secret key. */
function publicKeyOf(secretKey: string): string {
  const raw = decodeZ85(secretKey) ?? Buffer.alloc(KEY_BYTES);
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, raw]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return encodeZ85(spki.subarray(spki.length - KEY_BYTES));
}
