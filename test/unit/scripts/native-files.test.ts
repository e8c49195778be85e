/** Which native add-ons stay in the container image. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { removeOthers } from '../../../scripts/native-files.mjs';
import { tempFolder } from '../../helpers/temp.ts';

const KEPT = [
  'zeromq/build/linux/x64/node/glibc-127-Release/addon.node',
  'zeromq/build/linux/x64/node/127/addon.node',
  'tree-sitter/prebuilds/linux-x64/tree-sitter.node',
  'own/build/Release/addon.node',
];

const REMOVED = [
  'zeromq/build/linux/x64/node/musl-127-Release/addon.node',
  'zeromq/build/linux/arm64/node/glibc-127-Release/addon.node',
  'zeromq/build/darwin/x64/node/libc-115-Release/addon.node',
  'zeromq/build/win32/ia32/node/115/addon.node',
  'tree-sitter/prebuilds/darwin-arm64/tree-sitter.node',
  'tree-sitter/prebuilds/linux-arm64/tree-sitter.node',
];

describe('native add-ons of the image', () => {
  it('native add-ons: only those of the platform stay, and other files stay too', (t) => {
    const root = tempFolder(t);
    const other = 'zeromq/build/darwin/readme.md';
    for (const name of [...KEPT, ...REMOVED, other]) {
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      writeFileSync(path.join(root, name), '');
    }
    const removed = removeOthers(root, { platform: 'linux', arch: 'x64', libc: 'glibc' });
    assert.deepEqual(removed.sort(), [...REMOVED].sort());
    const there = [...KEPT, ...REMOVED, other].filter((name) => existsSync(path.join(root, name)));
    assert.deepEqual(there, [...KEPT, other]);
  });
});
