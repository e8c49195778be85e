/** TLS of the gateway's own server, with certificates that openssl creates. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connect } from 'node:tls';
import { createGateway, type GatewayLogger } from '../../src/gateway/index.ts';
import { within } from '../helpers/eventually.ts';
import { apiOf, parameter } from '../helpers/gateway/api.ts';
import { FakeRequester } from '../helpers/gateway/requester.ts';
import { tempFolder } from '../helpers/temp.ts';

const NEEDS_OPENSSL = {
  skip: spawnSync('openssl', ['version']).status === 0 ? false : 'needs openssl',
} as const;

const paths = { '/tasks/{id}': { get: { parameters: [parameter('id', 'path', { type: 'string' })] } } };

interface Files {
  readonly cert: string;
  readonly key: string;
}

function certificate(folder: string, name: string): Files {
  const [cert, key] = [path.join(folder, `${name}.pem`), path.join(folder, `${name}.key`)];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const args = ['req', '-x509', ...kind, '-subj', `/CN=${name}`, '-keyout', key, '-out', cert];
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return { cert, key };
}

/** A gateway with TLS; `logged` resolves with the next message of the log. */
async function open(t: TestContext, tls: Files) {
  const requester = new FakeRequester();
  let next: (message: string) => void = () => undefined;
  const log = (_fields: unknown, message?: string): void => next(message ?? '');
  const logger: GatewayLogger = { debug: log, info: log, warn: log, error: log };
  const gateway = createGateway({ requester, api: apiOf(paths), host: '127.0.0.1', port: 0, tls, logger });
  const { url, port } = await gateway.listen();
  t.after(() => gateway.close({ deadline: 200 }));
  const logged = (): Promise<string> => new Promise((resolve) => (next = resolve));
  return { gateway, url, port, logged };
}

/** The common name of the certificate that the server presents. */
function presented(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

describe('gateway with TLS', NEEDS_OPENSSL, () => {
  it('TLS: serves HTTPS, and closes connections that do not speak it', async (t) => {
    const { url, port } = await open(t, certificate(tempFolder(t), 'first'));
    assert.equal(url, `https://127.0.0.1:${port}`);
    const status = await new Promise((resolve, reject) => {
      const sent = request(`${url}/livez`, { rejectUnauthorized: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.once('error', reject).end();
    });
    assert.equal(status, 200);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/livez`));
    assert.equal(await presented(port), 'first', 'it still serves');
  });

  it('TLS: reads changed files, and keeps the old certificate if they do not fit', async (t) => {
    const folder = tempFolder(t);
    const used = certificate(folder, 'first');
    const second = certificate(folder, 'second');
    const { port, logged } = await open(t, used);
    const rejected = logged();
    writeFileSync(used.cert, 'not a certificate');
    assert.match(await within(rejected, 'the rejection'), /TLS certificate is not valid; the old one stays/);
    assert.equal(await presented(port), 'first');
    const reloaded = logged();
    renameSync(second.cert, used.cert);
    renameSync(second.key, used.key);
    assert.equal(await within(reloaded, 'the reload'), 'reloaded the TLS certificate');
    assert.equal(await presented(port), 'second');
  });

  it('TLS: closes connections without a finished handshake at the deadline', async (t) => {
    const { gateway, port } = await open(t, certificate(tempFolder(t), 'first'));
    const socket = net.connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    await within(new Promise((resolve) => socket.once('connect', resolve)), 'the connection');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    await within(gateway.close({ deadline: 100 }), 'the end of the gateway');
    await within(closed, 'the end of the connection');
  });

  it('TLS: names files that cannot be used', (t) => {
    const folder = tempFolder(t);
    const first = certificate(folder, 'first');
    const second = certificate(folder, 'second');
    const create = (tls: Files) => () =>
      createGateway({ requester: new FakeRequester(), api: apiOf(paths), tls });
    assert.throws(create({ cert: first.cert, key: second.key }), {
      name: 'ZeroMQConfigError',
      message: new RegExp(`^tls: cannot use ${first.cert} with ${second.key}: .*mismatch`, 'i'),
    });
    assert.throws(create({ cert: first.cert, key: path.join(folder, 'none') }), /ENOENT/);
  });
});
