import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { CURVE_CLIENT_SETTINGS, clientCurve } from '../../../../src/cli/nodes/curve.ts';
import { resolveSettings } from '../../../../src/cli/settings/settings.ts';
import { writeKeyFiles } from '../../../../src/transport/curve/key-file.ts';
import { curveKeyPair, isKey } from '../../../../src/transport/curve/keys.ts';
import { tempFolder } from '../../../helpers/temp.ts';

test('--curve-server-key: a file is read even if its path could be a key', (t) => {
  const pair = curveKeyPair();
  const folder = path.join(tempFolder(t), 'f');
  const file = `${folder}${'f'.repeat(40 - folder.length - '/r.key.pub'.length)}/r.key.pub`;
  mkdirSync(path.dirname(file), { recursive: true });
  writeKeyFiles(file.slice(0, -'.pub'.length), pair);
  assert.ok(isKey(file), file);
  const values = { curveServerKey: [file], curveKey: undefined, curveSecretKey: undefined };
  assert.deepEqual(clientCurve(values)?.serverKey, [pair.publicKey]);
  const both = { ...values, curveServerKey: [pair.publicKey, file] };
  assert.deepEqual(clientCurve(both)?.serverKey, [pair.publicKey, pair.publicKey]);
});

test('--curve-server-key: keys are not taken for paths, from every source', (t) => {
  const keys = [curveKeyPair().publicKey, curveKeyPair().publicKey];
  const none = { flags: {}, env: {}, file: undefined, cwd: tempFolder(t) };
  for (const sources of [
    { ...none, flags: { curveServerKey: keys } },
    { ...none, env: { ZMQ_GATEWAY_CURVE_SERVER_KEY: keys.join(',') } },
  ]) {
    assert.deepEqual(resolveSettings('worker', CURVE_CLIENT_SETTINGS, sources).curveServerKey, keys);
  }
});
