import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { readSettings } from '../../../../src/gateway/common/settings-schema.ts';
import { ApiKeyAuthenticator } from '../../../../src/gateway/security/api-key.ts';
import { JwtAuthenticator } from '../../../../src/gateway/security/jwt.ts';
import { tempFolder } from '../../../helpers/temp.ts';

const NO_REQUEST = { headersDistinct: {}, socket: new Socket() };
const PLACE = { in: 'header', name: 'X-API-Key' } as const;

/** Advances the clock by which the files are checked. */
function clock(t: TestContext) {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  return (ms: number) => {
    now += ms;
  };
}

function log() {
  const lines: string[] = [];
  const write = (_fields: object, message: string): void => void lines.push(message);
  return { lines, logger: { debug: write, info: write, warn: write, error: write } };
}

it('ReloadedFile: reloads changed API keys, and keeps the old ones if the file is broken or missing', (t) => {
  const pass = clock(t);
  const { lines, logger } = log();
  const file = join(tempFolder(t), 'keys.json');
  const write = (...ids: string[]) =>
    writeFileSync(file, JSON.stringify(ids.map((id) => ({ id, key: `the secret key of ${id}` }))));
  write('eva');
  const keys = new ApiKeyAuthenticator('key', { type: 'apiKey', file }, logger);
  const known = (id: string) => {
    const credentials = { headers: { 'x-api-key': `the secret key of ${id}` }, query: '', req: NO_REQUEST };
    return keys.authenticate(credentials, PLACE).kind === 'known';
  };
  write('eva', 'otto');
  assert.deepEqual([known('eva'), known('otto')], [true, false]);
  pass(1000);
  assert.deepEqual([known('eva'), known('otto')], [true, true]);
  write('otto');
  pass(1000);
  assert.deepEqual([known('eva'), known('otto')], [false, true]);
  writeFileSync(file, '[');
  pass(1000);
  assert.equal(known('otto'), true);
  rmSync(file);
  pass(1000);
  assert.equal(known('otto'), true);
  const refused = 'a changed key file is not valid; the old keys stay';
  const taken = 'reloaded a changed key file';
  assert.deepEqual(lines, [taken, taken, refused, refused]);
});

it('ReloadedFile: reloads the changed keys of an issuer', async (t) => {
  const pass = clock(t);
  const { logger } = log();
  const jwksFile = join(tempFolder(t), 'jwks.json');
  const newKey = async (kid: string) => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const token = await new SignJWT({ sub: 'eva' })
      .setProtectedHeader({ alg: 'ES256', kid })
      .setIssuer('us')
      .setAudience('tasks')
      .setExpirationTime('1h')
      .sign(privateKey);
    writeFileSync(
      jwksFile,
      JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid, alg: 'ES256' }] }),
    );
    return token;
  };
  const old = await newKey('first');
  const given = { type: 'jwt', jwksFile, issuer: 'us', audience: 'tasks' } as const;
  const scheme = readSettings({ auth: { schemes: { token: given } } }).auth.schemes['token'];
  assert.ok(scheme?.type === 'jwt');
  const tokens = new JwtAuthenticator('token', scheme, logger);
  const kindOf = async (token: string) =>
    (await tokens.authenticate({ headers: { authorization: `Bearer ${token}` }, query: '', req: NO_REQUEST }))
      .kind;
  assert.equal(await kindOf(old), 'known');
  const rotated = await newKey('the second');
  pass(1000);
  assert.deepEqual([await kindOf(old), await kindOf(rotated)], ['invalid', 'known']);
});
