/** Types of setting values that are CURVE keys. */
import { statSync } from 'node:fs';
import { isKey } from '../../transport/curve/keys.ts';
import { checked, type ValueType } from './value-types.ts';

/**
 * Whether a text is a key and not the path of a file: a path of 40 characters may consist of those of
 * Z85, which include `/`, `.` and `-`.
 */
export const isKeyAndNoFile = (value: string): boolean =>
  isKey(value) && statSync(value, { throwIfNoEntry: false }) === undefined;

/** A public key, or a file that contains one. */
export const publicKey: ValueType<string> = {
  placeholder: 'KEY',
  allowed: 'a public key, 40 characters of Z85, or a file that exists',
  schema: checked((value) => {
    if (!isKeyAndNoFile(value) && !statSync(value).isFile()) throw new Error('not a key');
  }),
  isPath: true,
  isLiteral: isKeyAndNoFile,
};

/** A secret key. */
export const secretKey: ValueType<string> = {
  placeholder: 'KEY',
  allowed: 'a secret key, 40 characters of Z85',
  schema: checked((value) => {
    if (!isKey(value)) throw new Error('not a key');
  }),
};
