import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { CurveClient, CurveServer } from '../../../../src/transport/curve/curve-options.ts';
import { readKeyFile, readPublicKeyFile, writeKeyFiles } from '../../../../src/transport/curve/key-file.ts';
import { curveKeyPair, isKey, keyPairOf } from '../../../../src/transport/curve/keys.ts';
import { decodeZ85, encodeZ85 } from '../../../../src/transport/curve/z85.ts';
import { scopeOf } from '../../../helpers/scope.ts';
import { tempFolder } from '../../../helpers/temp.ts';

/** The pair of the libzmq manual (zmq_curve). */
const MANUAL = {
  publicKey: 'Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID',
  secretKey: 'D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs',
};

describe('Z85', () => {
  it('writes the example of its RFC', () => {
    assert.equal(encodeZ85(Buffer.from('864FD26FB559F75B', 'hex')), 'HelloWorld');
    assert.deepEqual(decodeZ85('HelloWorld'), Buffer.from('864FD26FB559F75B', 'hex'));
  });

  it('reads what it writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        assert.deepEqual(decodeZ85(encodeZ85(Buffer.from(bytes))), Buffer.from(bytes));
      }),
    );
  });

  it('refuses what is none', () => {
    for (const text of ['Hello Worl', 'HelloWorl', '#####', 'é0000'])
      assert.equal(decodeZ85(text), undefined);
  });
});

describe('a key pair', () => {
  it('is found by its secret key', () => {
    assert.deepEqual(keyPairOf('curve', MANUAL.secretKey, undefined), MANUAL);
    const made = curveKeyPair();
    assert.deepEqual(keyPairOf('curve', made.secretKey, made.publicKey), made);
  });

  it('must be one pair', () => {
    assert.throws(
      () => keyPairOf('curve', MANUAL.secretKey, curveKeyPair().publicKey),
      /publicKey does not belong to secretKey/,
    );
  });

  it('is refused without telling the secret', () => {
    const almost = `${MANUAL.secretKey.slice(0, 39)}~`;
    assert.throws(
      () => keyPairOf('curve', almost, undefined),
      (error: Error) =>
        error.message.includes('curve.secretKey') && !error.message.includes(almost.slice(0, 8)),
    );
  });
});

describe('options', () => {
  it('keep secrets from whoever prints them', () => {
    const { publicKey: serverKey } = MANUAL;
    const own = curveKeyPair();
    for (const one of [new CurveClient({ serverKey, ...own }), new CurveServer(own)]) {
      const printed = inspect(one, { depth: 10, showHidden: true }) + JSON.stringify(one);
      assert.ok(!printed.includes(own.secretKey));
    }
  });

  it('are checked, by name', () => {
    const { secretKey, publicKey } = MANUAL;
    assert.throws(() => new CurveClient({ serverKey: 'short' }), /curve\.serverKey .*"short"/);
    assert.throws(() => new CurveClient({ serverKey: publicKey, publicKey }), /curve\.secretKey is missing/);
    assert.throws(() => new CurveServer({ secretKey, domain: '' }), /curve\.domain/);
    assert.throws(() => new CurveServer({ secretKey, connectionsPerKey: 0 }), /curve\.connectionsPerKey .*0/);
  });
});

describe('key files', () => {
  it('hold a pair, the secret for its owner only', (t) => {
    const file = join(tempFolder(scopeOf(t)), 'router.key');
    writeKeyFiles(file, MANUAL);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(`${file}.pub`).mode & 0o777, 0o644);
    assert.deepEqual(readKeyFile(file), MANUAL);
    assert.equal(readPublicKeyFile(`${file}.pub`), MANUAL.publicKey);
    assert.ok(!readFileSync(`${file}.pub`, 'utf8').includes(MANUAL.secretKey));
  });

  it('are refused when others can get at them, be it through a link', (t) => {
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
            /others than its owner .*chmod 600/.test(error.message) &&
            !error.message.includes(MANUAL.secretKey),
        );
      }
    }
    chmodSync(file, 0o400);
    assert.deepEqual(readKeyFile(file), MANUAL);
  });

  it('are not overwritten', (t) => {
    const file = join(tempFolder(scopeOf(t)), 'a.key');
    writeFileSync(`${file}.pub`, 'mine');
    assert.throws(() => writeKeyFiles(file, MANUAL), /a\.key\.pub: cannot be written: it exists already/);
    assert.ok(!existsSync(file));
    writeFileSync(file, 'mine');
    assert.throws(() => writeKeyFiles(file, MANUAL), /a\.key: cannot be written: it exists already/);
  });

  it('are told by name when they hold no key or cannot be read', (t) => {
    const file = join(tempFolder(scopeOf(t)), 'a.key');
    assert.throws(() => readKeyFile(file), /a\.key: cannot be read/);
    writeFileSync(file, 'secret-key = "too short"', { mode: 0o600 });
    assert.throws(() => readKeyFile(file), /a\.key: no secret-key/);
    assert.throws(() => readPublicKeyFile(file), /a\.key must be a public key/);
  });
});

it('keys are told from other texts', () => {
  assert.ok(isKey(MANUAL.publicKey));
  for (const other of [undefined, 7, '', 'x'.repeat(41), `${MANUAL.publicKey}00000`])
    assert.ok(!isKey(other));
});
