import assert from 'node:assert/strict';
import {
  chmodSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readConfigFile, updateConfigFile } from '../../../../src/core/identity/config-file.ts';
import { ZeroMQConfigError } from '../../../../src/core/messages/errors.ts';
import { tempFolder } from '../../../helpers/temp.ts';

const refusal = (message: RegExp) => (error: unknown) =>
  error instanceof ZeroMQConfigError && message.test(error.message);

describe('config file', () => {
  it('config file: a missing file is an empty document and is created by the first change', async (t) => {
    const path = join(tempFolder(t), 'config.ini');
    assert.equal((await readConfigFile(path)).toString(), '');
    await updateConfigFile(path, (document) => document.with('client', 'a', '1'));
    assert.equal(readFileSync(path, 'utf8'), '[client]\na = 1\n');
  });

  it('config file: an update leaves no other files and keeps permissions and symbolic links', async (t) => {
    const folder = tempFolder(t);
    const path = join(folder, 'real.ini');
    const link = join(folder, 'config.ini');
    writeFileSync(path, '# mine\n');
    chmodSync(path, 0o640);
    symlinkSync(path, link);
    await updateConfigFile(link, (document) => document.with('client', 'a', '1'));
    assert.equal(readFileSync(path, 'utf8'), '# mine\n\n[client]\na = 1\n');
    assert.equal(statSync(path).mode & 0o777, 0o640);
    assert.equal(lstatSync(link).isSymbolicLink(), true);
    assert.deepEqual(readdirSync(folder).sort(), ['config.ini', 'real.ini']);
  });

  it('config file: an update without changes does not write', async (t) => {
    const path = join(tempFolder(t), 'config.ini');
    writeFileSync(path, '[a]\nb=1\n');
    const { ino } = statSync(path);
    await updateConfigFile(path, (document) => document);
    assert.equal(statSync(path).ino, ino);
  });

  it('config file: reports why a file cannot be read', async (t) => {
    const folder = tempFolder(t);
    const path = join(folder, 'config.ini');
    writeFileSync(path, Buffer.from([0x5b, 0xff, 0x5d]));
    await assert.rejects(readConfigFile(path), refusal(/config\.ini: is not UTF-8 text$/));
    await assert.rejects(readConfigFile(folder), refusal(/: cannot be read: EISDIR/));
    writeFileSync(path, '[client]\nwhat\n');
    await assert.rejects(readConfigFile(path), refusal(/config\.ini:2: /));
  });

  it('config file: reports a missing folder and a path through a file', async (t) => {
    const folder = tempFolder(t);
    writeFileSync(join(folder, 'file'), '');
    const set = (path: string) => updateConfigFile(path, (document) => document.with('client', 'a', '1'));
    await assert.rejects(
      set(join(folder, 'none', 'config.ini')),
      refusal(/config\.ini: cannot be written: ENOENT/),
    );
    await assert.rejects(
      set(join(folder, 'file', 'config.ini')),
      refusal(/config\.ini: cannot be (read|written): ENOTDIR/),
    );
  });

  it('config file: passes on an error of the change and releases the lock', async (t) => {
    const folder = tempFolder(t);
    const path = join(folder, 'config.ini');
    const fault = new ZeroMQConfigError('no');
    const failing = updateConfigFile(path, () => {
      throw fault;
    });
    await assert.rejects(failing, fault);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('config file: concurrent updates in one process are all applied', async (t) => {
    const path = join(tempFolder(t), 'config.ini');
    const names = Array.from({ length: 12 }, (_, index) => `option${index}`);
    await Promise.all(
      names.map((name) => updateConfigFile(path, (document) => document.with('client', name, '1'))),
    );
    assert.deepEqual((await readConfigFile(path)).optionNames('client').sort(), names.sort());
  });
});
