import assert from 'node:assert/strict';
import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AllowList, type AllowListDocument } from '../../../../src/transport/curve/allow-list.ts';
import { AllowListFile } from '../../../../src/transport/curve/allow-list-file.ts';
import { curveKeyPair } from '../../../../src/transport/curve/keys.ts';
import { PeerPermissions } from '../../../../src/transport/curve/permissions.ts';
import { within } from '../../../helpers/eventually.ts';
import { scopeOf } from '../../../helpers/scope.ts';
import { tempFolder } from '../../../helpers/temp.ts';

const A = curveKeyPair().publicKey;
const B = curveKeyPair().publicKey;

describe('PeerPermissions', () => {
  const client = new PeerPermissions({
    name: 'c',
    role: 'client',
    calls: ['tasks.get', 'echo.*'],
    serves: ['x'],
  });
  const worker = new PeerPermissions({
    name: 'w',
    role: 'worker',
    serves: ['tasks.*'],
    paths: ['/tasks', '/a/'],
  });
  const admin = new PeerPermissions({ name: 'a', role: 'admin' });

  it('PeerPermissions: a client may call events by name and by prefix', () => {
    const may = (name: string) => client.mayCall(name);
    for (const name of ['tasks.get', 'echo.get', 'echo.', 'echo.a.b', '$router.ping', '$router.contracts'])
      assert.ok(may(name) && may(name), name);
    for (const name of ['tasks.getx', 'tasks', 'echo', '$router.stats', ''])
      assert.ok(!may(name) && !may(name), name);
    assert.ok(!client.mayServe('x') && !client.mayServe('tasks.get'));
    assert.ok(
      client.mayConnect('frontend') && client.mayConnect('heartbeat') && !client.mayConnect('backend'),
    );
    assert.ok(client.maySendHeartbeatsAs('client') && !client.maySendHeartbeatsAs('worker'));
  });

  it('PeerPermissions: a worker may serve events, and announce paths by whole segments', () => {
    assert.ok(worker.mayServe('tasks.get') && !worker.mayServe('task') && !worker.mayServeUnannounced);
    for (const path of ['/tasks', '/tasks/{id}', '/a', '/a/b']) assert.ok(worker.mayAnnounce(path), path);
    for (const path of ['/', '/tasksx', '/b', '/ab']) assert.ok(!worker.mayAnnounce(path), path);
    assert.ok(!worker.mayCall('tasks.get') && !worker.mayCall('$router.ping'));
    assert.ok(worker.mayConnect('backend') && !worker.mayConnect('frontend'));
    const everywhere = new PeerPermissions({ name: 'w', role: 'worker', serves: ['*'], paths: ['/'] });
    assert.ok(everywhere.mayServeUnannounced && everywhere.mayAnnounce('/any/thing'));
  });

  it('PeerPermissions: an admin has all permissions', () => {
    assert.ok(
      admin.mayCall('$router.stats') &&
        admin.mayServe('x') &&
        admin.mayAnnounce('/') &&
        admin.mayServeUnannounced,
    );
    assert.ok(
      admin.mayConnect('frontend') && admin.mayConnect('backend') && admin.maySendHeartbeatsAs('worker'),
    );
  });

  it('PeerPermissions: permits nothing without a grant', () => {
    const nothing = new PeerPermissions({ name: 'n', role: 'worker' });
    assert.ok(!nothing.mayServe('x') && !nothing.mayAnnounce('/') && !nothing.mayServeUnannounced);
    assert.ok(!new PeerPermissions({ name: 'n', role: 'client' }).mayCall('x'));
  });

  it('PeerPermissions: decides the same after many different names', () => {
    for (let at = 0; at < 10_000; at += 1) assert.equal(client.mayCall(`echo.${at}`), true);
    for (let at = 0; at < 10_000; at += 1) assert.equal(client.mayCall(`other.${at}`), false);
  });
});

describe('AllowList', () => {
  it('AllowList: reports every problem with its location', () => {
    const wrong = {
      peers: [
        { name: 'one', publicKey: 'short', role: 'king' },
        { publicKey: A, role: 'client', serves: ['x'], calls: ['a*b', '$router.x'] },
        { name: 'three', publicKey: A, role: 'worker', paths: ['tasks'], color: 'red' },
      ],
    };
    assert.throws(
      () => new AllowList(wrong as unknown as AllowListDocument, 'peers.yaml'),
      (error: Error) => {
        for (const place of [
          'peers[0].publicKey',
          'peers[0].role',
          'peers[1].name',
          'peers[1].serves',
          'peers[1].calls[0]',
          'peers[1].calls[1]',
          'peers[2].paths[0]',
          'peers[2].color',
        ])
          assert.ok(error.message.includes(`"${place}"`), `${place} is not in ${error.message}`);
        return error.message.startsWith('peers.yaml: ');
      },
    );
    const twice = { name: 'x', publicKey: A, role: 'admin' } as const;
    assert.throws(() => new AllowList({ peers: [twice, { ...twice, name: 'y' }] }), /duplicate/);
    assert.throws(() => new AllowList({ peers: [twice, { ...twice, publicKey: B }] }), /duplicate/);
    for (const nothing of [undefined, null, [], {}, 'x'] as unknown[]) {
      assert.throws(() => new AllowList(nothing as AllowListDocument), /allow list: /);
    }
  });

  it('AllowList: finds keys in their domains only', () => {
    const list = new AllowList({ peers: [{ name: 'a', publicKey: A, role: 'admin', domains: ['here'] }] });
    assert.equal(list.permissionsOf(A, 'here')?.name, 'a');
    assert.equal(list.permissionsOf(A, 'there'), undefined);
    assert.equal(list.permissionsOf(B, 'here'), undefined);
  });

  it('AllowList: notifies listeners of a replacement, and keeps the list if the new one is invalid', () => {
    const entry = { name: 'a', publicKey: A, role: 'client', calls: ['x'] } as const;
    const list = new AllowList({ peers: [entry] });
    let changes = 0;
    const end = list.onChange(() => (changes += 1));
    const before = list.permissionsOf(A, '');
    list.replace({ peers: [entry, { name: 'b', publicKey: B, role: 'admin' }] });
    assert.equal(list.permissionsOf(A, ''), before); // unchanged permissions keep their object
    assert.throws(() => list.replace({ peers: [{ ...entry, role: 'king' as 'admin' }] }));
    assert.equal(list.size, 2);
    end();
    list.replace({ peers: [] });
    assert.deepEqual([changes, list.permissionsOf(A, '')], [1, undefined]);
  });
});

describe('AllowListFile', () => {
  const text = (names: string[]): string =>
    `peers:\n${names.map((name, at) => `  - { name: ${name}, publicKey: "${at === 0 ? A : B}", role: admin }\n`).join('')}`;

  it('AllowListFile: reloads a changed or replaced file, and keeps the list if the file is invalid', async (t) => {
    const scope = scopeOf(t);
    const folder = tempFolder(scope);
    const file = join(folder, 'peers.yaml');
    writeFileSync(file, text(['a']));
    let heard: (what: string) => void = () => undefined;
    const next = () => within(new Promise<string>((resolve) => (heard = resolve)), 'word of a change');
    const list = new AllowListFile(file, {
      interval: 5,
      onReload: () => heard('reloaded'),
      onError: ({ message }) => heard(message),
    });
    scope.after(() => list.close());
    assert.equal(list.size, 1);

    let word = next();
    writeFileSync(join(folder, 'new'), text(['a', 'b']));
    renameSync(join(folder, 'new'), file);
    assert.equal(await word, 'reloaded');
    assert.equal(list.size, 2);

    word = next();
    writeFileSync(join(folder, 'new'), 'peers: [{ name: a }]');
    renameSync(join(folder, 'new'), file);
    assert.match(await word, /peers\.yaml: .*peers\[0\]\.publicKey/);
    assert.equal(list.size, 2);

    word = next();
    writeFileSync(join(folder, 'new'), JSON.stringify({ peers: [] }));
    renameSync(join(folder, 'new'), file);
    assert.equal(await word, 'reloaded');
    assert.equal(list.size, 0);
  });

  it('AllowListFile: rejects a file that is missing, invalid or writable for every user', (t) => {
    const file = join(tempFolder(scopeOf(t)), 'peers.yaml');
    assert.throws(() => new AllowListFile(file), /cannot be read/);
    writeFileSync(file, 'peers: [');
    assert.throws(() => new AllowListFile(file), /peers\.yaml: not valid YAML/);
    writeFileSync(file, text(['a']));
    chmodSync(file, 0o666);
    assert.throws(() => new AllowListFile(file), /every user can write this file/);
  });
});
