/**
 * curve: encryption and who is who (CURVE, ZMTP RFC 25, and its authentication protocol ZAP, RFC 27).
 *
 * `keys.ts` has keys and what they look like, `key-file.ts` their files, `security.ts` what sockets are given,
 * `rights.ts` and `allow-list.ts` who may do what; `zap.ts` answers libzmq's questions, `gate.ts` knows whose key is
 * behind a peer of a socket.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { capability, curveKeyPair as makePair } from 'zeromq';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import { decodeZ85, encodeZ85 } from './z85.ts';

/** A CURVE key pair: 40 characters of Z85 each. */
export interface CurveKeyPair {
  readonly publicKey: string;
  readonly secretKey: string;
}

/** Bytes of a key. */
const KEY_BYTES = 32;

/** What stands before the bytes of an X25519 private key in PKCS #8. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');

/**
 * A new CURVE key pair, from the system's random source.
 *
 * @throws ZeroMQConfigError when the ZeroMQ library was built without CURVE.
 */
export function curveKeyPair(): CurveKeyPair {
  assertCurve();
  return makePair();
}

/** @throws ZeroMQConfigError when the ZeroMQ library was built without CURVE. */
export function assertCurve(): void {
  if (capability.curve !== true)
    throw new ZeroMQConfigError('curve: this ZeroMQ library is built without it');
}

/**
 * A public key, checked.
 *
 * @throws ZeroMQConfigError naming the option and the value.
 */
export function checkPublicKey(option: string, value: unknown): string {
  if (isKey(value)) return value;
  throw new ZeroMQConfigError(
    `${option} must be a public key, 40 characters of Z85, got ${JSON.stringify(value)}`,
  );
}

/**
 * A secret key, checked.
 *
 * @throws ZeroMQConfigError naming the option; the value is not told.
 */
export function checkSecretKey(option: string, value: unknown): string {
  if (isKey(value)) return value;
  throw new ZeroMQConfigError(`${option} must be a secret key, 40 characters of Z85; what was given is none`);
}

/**
 * The pair of a secret key.
 *
 * @param publicKey where it is known too: it is held against the secret key.
 * @throws ZeroMQConfigError when one is no key, or they are not of one pair; the secret key is not told.
 */
export function keyPairOf(option: string, secretKey: unknown, publicKey: unknown): CurveKeyPair {
  const secret = checkSecretKey(`${option}.secretKey`, secretKey);
  const derived = publicKeyOf(secret);
  if (publicKey !== undefined && checkPublicKey(`${option}.publicKey`, publicKey) !== derived) {
    throw new ZeroMQConfigError(`${option}: publicKey and secretKey are not of one pair`);
  }
  return { publicKey: derived, secretKey: secret };
}

/** Whether a value looks like a key. */
export function isKey(value: unknown): value is string {
  return typeof value === 'string' && decodeZ85(value)?.length === KEY_BYTES;
}

/** The public key that belongs to a secret one. */
function publicKeyOf(secretKey: string): string {
  const raw = decodeZ85(secretKey) ?? Buffer.alloc(KEY_BYTES);
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, raw]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return encodeZ85(spki.subarray(spki.length - KEY_BYTES));
}
