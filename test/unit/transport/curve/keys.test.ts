import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { CurveClient, CurveServer } from '../../../../src/transport/curve/curve-options.ts';
import { readKeyFile, readPublicKeyFile, writeKeyFiles } from '../../../../src/transport/curve/key-file.ts';
import { curveKeyPair, isKey, keyPairOf } from '../../../../src/transport/curve/keys.ts';
import { decodeZ85, encodeZ85 } from '../../../../src/transport/curve/z85.ts';
import fc from '../../../helpers/property.ts';
import { scopeOf } from '../../../helpers/scope.ts';
import { tempFolder } from '../../../helpers/temp.ts';

/** The pair of the libzmq manual (zmq_curve). */
const MANUAL = {
  publicKey: 'Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID',
  secretKey: 'D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs',
};

describe('Z85', () => {
  it('Z85: encodes the example of RFC 32', () => {
    assert.equal(encodeZ85(Buffer.from('864FD26FB559F75B', 'hex')), 'HelloWorld');
    assert.deepEqual(decodeZ85('HelloWorld'), Buffer.from('864FD26FB559F75B', 'hex'));
  });

  it('Z85: decodes what it encodes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        assert.deepEqual(decodeZ85(encodeZ85(Buffer.from(bytes))), Buffer.from(bytes));
      }),
    );
  });

  it('Z85: rejects invalid text', () => {
    for (const text of ['Hello Worl', 'HelloWorl', '#####', 'é0000'])
      assert.equal(decodeZ85(text), undefined);
  });
});

describe('CURVE key pairs', () => {
  it('keyPairOf: derives the public key from the secret key', () => {
    assert.deepEqual(keyPairOf('curve', MANUAL.secretKey, undefined), MANUAL);
    const made = curveKeyPair();
    assert.deepEqual(keyPairOf('curve', made.secretKey, made.publicKey), made);
  });

  it('keyPairOf: rejects keys of different pairs', () => {
    assert.throws(
      () => keyPairOf('curve', MANUAL.secretKey, curveKeyPair().publicKey),
      /publicKey does not belong to secretKey/,
    );
  });

  it('keyPairOf: does not reveal the secret key in an error', () => {
    const almost = `${MANUAL.secretKey.slice(0, 39)}~`;
    assert.throws(
      () => keyPairOf('curve', almost, undefined),
      (error: Error) =>
        error.message.includes('curve.secretKey') && !error.message.includes(almost.slice(0, 8)),
    );
  });
});

describe('CURVE options', () => {
  it('CURVE options: do not show secret keys when they are printed', () => {
    const { publicKey: serverKey } = MANUAL;
    const own = curveKeyPair();
    for (const one of [new CurveClient({ serverKey, ...own }), new CurveServer(own)]) {
      const printed = inspect(one, { depth: 10, showHidden: true }) + JSON.stringify(one);
      assert.ok(!printed.includes(own.secretKey));
    }
  });

  it('CURVE options: are rejected with the name of the option', () => {
    const { secretKey, publicKey } = MANUAL;
    assert.throws(() => new CurveClient({ serverKey: 'short' }), /curve\.serverKey .*"short"/);
    assert.throws(() => new CurveClient({ serverKey: publicKey, publicKey }), /curve\.secretKey is missing/);
    assert.throws(() => new CurveServer({ secretKey, domain: '' }), /curve\.domain/);
    assert.throws(() => new CurveServer({ secretKey, connectionsPerKey: 0 }), /curve\.connectionsPerKey .*0/);
  });
});

describe('key files', () => {
  it('key files: store a key pair, with the secret key accessible only to the owner', (t) => {
    const file = join(tempFolder(scopeOf(t)), 'router.key');
    writeKeyFiles(file, MANUAL);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(`${file}.pub`).mode & 0o777, 0o644);
    assert.deepEqual(readKeyFile(file), MANUAL);
    assert.equal(readPublicKeyFile(`${file}.pub`), MANUAL.publicKey);
    assert.ok(!readFileSync(`${file}.pub`, 'utf8').includes(MANUAL.secretKey));
  });

  it('key files: are rejected if other users can access them, also through a link', (t) => {
    const folder = tempFolder(scopeOf(t));
    const file = join(folder, 'a.key');
    writeKeyFiles(file, MANUAL);
    symlinkSync(file, join(folder, 'link.key'));
    for (const mode of [0o640, 0o604, 0o620, 0o610]) {
      chmodSync(file, mode);
      for (const name of [file, join(folder, 'link.key')]) {
        assert.throws(
          () => readKeyFile(name),
          (error: Error) =>
            /users other than the owner .*chmod 600/.test(error.message) &&
            !error.message.includes(MANUAL.secretKey),
        );
      }
    }
    chmodSync(file, 0o400);
    assert.deepEqual(readKeyFile(file), MANUAL);
  });

  it('key files: are not overwritten', (t) => {
    const file = join(tempFolder(scopeOf(t)), 'a.key');
    writeFileSync(`${file}.pub`, 'existing');
    assert.throws(() => writeKeyFiles(file, MANUAL), /a\.key\.pub: cannot be written: the file exists/);
    assert.ok(!existsSync(file));
    writeFileSync(file, 'existing');
    assert.throws(() => writeKeyFiles(file, MANUAL), /a\.key: cannot be written: the file exists/);
  });

  it('key files: are named in the error if they contain no key or cannot be read', (t) => {
    const file = join(tempFolder(scopeOf(t)), 'a.key');
    assert.throws(() => readKeyFile(file), /a\.key: cannot be read/);
    writeFileSync(file, 'secret-key = "too short"', { mode: 0o600 });
    assert.throws(() => readKeyFile(file), /a\.key: the file has no secret-key/);
    assert.throws(() => readPublicKeyFile(file), /a\.key must be a public key/);
  });
});

it('isKey: accepts keys only', () => {
  assert.ok(isKey(MANUAL.publicKey));
  for (const other of [undefined, 7, '', 'x'.repeat(41), `${MANUAL.publicKey}00000`])
    assert.ok(!isKey(other));
});
