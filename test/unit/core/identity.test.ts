import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ZeroMQConfigError } from '../../../src/core/errors.ts';
import { loadIdentity } from '../../../src/core/identity.ts';
import { readWithPython, setWithPython } from '../../helpers/python-ini.ts';
import { tempFolder } from '../../helpers/temp.ts';

const NODE = '0123456789abcdef0123456789ABCDEF';

describe('loadIdentity', () => {
  it('without a file makes up both ids', async () => {
    const [one, two] = await Promise.all([
      loadIdentity(undefined, 'client'),
      loadIdentity(undefined, 'client'),
    ]);
    assert.match(one.identity, /^[0-9a-f]{32}_[0-9a-f]{16}$/);
    assert.equal(one.identity, `${one.nodeId}_${one.sessionId}`);
    assert.notEqual(one.nodeId, two.nodeId);
    assert.notEqual(one.sessionId, two.sessionId);
  });

  it('keeps the node id in the file, one a section, and makes a new session id at each start', async (t) => {
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

  it('takes the id that Python saved, and the other way round', async (t) => {
    const path = join(tempFolder(t), 'config.ini');
    setWithPython(path, 'worker', 'node_id', NODE);
    assert.equal((await loadIdentity(path, 'worker')).nodeId, NODE);
    const client = await loadIdentity(path, 'client');
    setWithPython(path, 'worker', 'more', 'äöü');
    assert.equal((await loadIdentity(path, 'client')).nodeId, client.nodeId);
    assert.equal((await loadIdentity(path, 'worker')).nodeId, NODE);
  });

  it('fills in an id that is left empty', async (t) => {
    const path = join(tempFolder(t), 'config.ini');
    writeFileSync(path, '[router]\n# filled in at the first start\nNODE_ID =\nrest = 1\n');
    const { nodeId } = await loadIdentity(path, 'router');
    assert.equal(
      readFileSync(path, 'utf8'),
      `[router]\n# filled in at the first start\nNODE_ID = ${nodeId}\nrest = 1\n`,
    );
  });

  it('refuses an id that is none, naming file, line and value', async (t) => {
    const path = join(tempFolder(t), 'config.ini');
    for (const bad of ['42', `${NODE}0`, 'g'.repeat(32), `${NODE}\n\tx`]) {
      writeFileSync(path, `[server]\nnode_id = ${bad}\n`);
      await assert.rejects(
        loadIdentity(path, 'server'),
        (error) =>
          error instanceof ZeroMQConfigError &&
          error.message.startsWith(`${path}:2: node_id of section [server] must be 32 hex digits, got "`),
        bad,
      );
    }
  });
});
