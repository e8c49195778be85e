import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  hasHelloMark,
  identityOf,
  isIdentity,
  joinIdentity,
  loadIdentity,
  nodeIdOf,
  routingIdOf,
  withHelloMark,
} from '../../../../src/core/identity/identity.ts';
import { ZeroMQConfigError } from '../../../../src/core/messages/errors.ts';
import { readWithPython, setWithPython } from '../../../helpers/python-ini.ts';
import { tempFolder } from '../../../helpers/temp.ts';

const NODE = '0123456789abcdef0123456789ABCDEF';

describe('loadIdentity', () => {
  it('loadIdentity: generates both ids without a config file', async () => {
    const [one, two] = await Promise.all([
      loadIdentity(undefined, 'client'),
      loadIdentity(undefined, 'client'),
    ]);
    assert.match(one.identity, /^[0-9a-f]{32}_[0-9a-f]{16}$/);
    assert.equal(one.identity, `${one.nodeId}_${one.sessionId}`);
    assert.notEqual(one.nodeId, two.nodeId);
    assert.notEqual(one.sessionId, two.sessionId);
  });

  it('loadIdentity: keeps one node id per section in the file and generates a session id at each start', async (t) => {
    const path = join(tempFolder(t), 'config.ini');
    writeFileSync(path, '; ours\n[other]\nkey = v\n');
    const first = await loadIdentity(path, 'worker');
    const second = await loadIdentity(path, 'worker');
    const client = await loadIdentity(path, 'client');
    assert.equal(second.nodeId, first.nodeId);
    assert.notEqual(second.sessionId, first.sessionId);
    assert.notEqual(client.nodeId, first.nodeId);
    const text = readFileSync(path, 'utf8');
    assert.equal(
      text,
      `; ours\n[other]\nkey = v\n\n[worker]\nnode_id = ${first.nodeId}\n\n[client]\nnode_id = ${client.nodeId}\n`,
    );
    assert.deepEqual(readWithPython([text])[0]?.parsed, {
      other: { key: 'v' },
      worker: { node_id: first.nodeId },
      client: { node_id: client.nodeId },
    });
  });

  it('loadIdentity: shares node ids with Python in both directions', async (t) => {
    const path = join(tempFolder(t), 'config.ini');
    setWithPython(path, 'worker', 'node_id', NODE);
    assert.equal((await loadIdentity(path, 'worker')).nodeId, NODE);
    const client = await loadIdentity(path, 'client');
    setWithPython(path, 'worker', 'more', 'äöü');
    assert.equal((await loadIdentity(path, 'client')).nodeId, client.nodeId);
    assert.equal((await loadIdentity(path, 'worker')).nodeId, NODE);
  });

  it('loadIdentity: replaces an empty node id', async (t) => {
    const path = join(tempFolder(t), 'config.ini');
    writeFileSync(path, '[router]\n# filled in at the first start\nNODE_ID =\nrest = 1\n');
    const { nodeId } = await loadIdentity(path, 'router');
    assert.equal(
      readFileSync(path, 'utf8'),
      `[router]\n# filled in at the first start\nNODE_ID = ${nodeId}\nrest = 1\n`,
    );
  });

  it('loadIdentity: accepts what the original accepts and leaves the file alone', async (t) => {
    const path = join(tempFolder(t), 'config.ini');
    for (const nodeId of ['my-laptop', 'two words', 'büro_0123456789abcdef', '42', '$odd', 'é'.repeat(115)]) {
      setWithPython(path, 'worker', 'node_id', nodeId);
      const before = readFileSync(path);
      const found = await loadIdentity(path, 'worker');
      assert.equal(found.nodeId, nodeId);
      assert.equal(found.identity, `${nodeId}_${found.sessionId}`);
      assert.ok(readFileSync(path).equals(before), nodeId);
    }
  });

  it('loadIdentity: rejects node ids that are unusable as routing ids or in Python, with file, line and value', async (t) => {
    const path = join(tempFolder(t), 'config.ini');
    const wrong = {
      [`${'é'.repeat(116)}`]: 'must be at most 231 bytes of UTF-8',
      'a\n\tb': 'must be one line without control characters',
      'a\u0007b': 'must be one line without control characters',
      '50%%': 'must not contain %',
      '$hello.me': 'must not begin with $hello.',
    };
    for (const [bad, why] of Object.entries(wrong)) {
      writeFileSync(path, `[server]\nnode_id = ${bad}\n`);
      await assert.rejects(
        loadIdentity(path, 'server'),
        (error) =>
          error instanceof ZeroMQConfigError &&
          error.message.startsWith(`${path}:2: node_id of section [server] ${why}`),
        bad,
      );
    }
  });
});

describe('identities', () => {
  const SESSION = '0123456789abcdef';

  it('identities: convert from and to routing ids and contain the node id', () => {
    for (const nodeId of ['my-laptop', 'a_b', 'büro', 'x_0123456789abcdef']) {
      const identity = joinIdentity(nodeId, SESSION);
      assert.equal(identityOf(routingIdOf(identity).toString('latin1')), identity);
      assert.equal(nodeIdOf(identity), nodeId);
    }
    assert.equal(nodeIdOf('no-session'), 'no-session');
    assert.equal(identityOf('\0\xff\xfe'), '\0\xff\xfe', 'a routing id that is not UTF-8');
  });

  it('identities: routing ids of native workers start with a prefix that node ids cannot have', () => {
    assert.equal(hasHelloMark(withHelloMark(joinIdentity('my-laptop', SESSION))), true);
    for (const nodeId of ['my-laptop', '$', '$hello'])
      assert.equal(hasHelloMark(joinIdentity(nodeId, SESSION)), false);
  });

  it('identities: have 1 to 255 bytes without control characters', () => {
    for (const good of ['a', 'ä ö', 'x'.repeat(255), 'é'.repeat(127)])
      assert.equal(isIdentity(good), true, good);
    for (const bad of ['', 'x'.repeat(256), 'é'.repeat(128), 'a\0', 'a\nb', '\ud800', 7, null, undefined]) {
      assert.equal(isIdentity(bad), false, String(bad));
    }
  });
});
