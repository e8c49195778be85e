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
  it('a missing file is an empty document, and comes into being when something is set', async (t) => {
    const path = join(tempFolder(t), 'config.ini');
    assert.equal((await readConfigFile(path)).toString(), '');
    await updateConfigFile(path, (document) => document.with('client', 'a', '1'));
    assert.equal(readFileSync(path, 'utf8'), '[client]\na = 1\n');
  });

  it('leaves nothing beside the file, keeps its permissions and a symbolic link to it', async (t) => {
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

  it('does not write when nothing changes', async (t) => {
    const path = join(tempFolder(t), 'config.ini');
    writeFileSync(path, '[a]\nb=1\n');
    const { ino } = statSync(path);
    await updateConfigFile(path, (document) => document);
    assert.equal(statSync(path).ino, ino);
  });

  it('says what is wrong with a file that cannot be read', async (t) => {
    const folder = tempFolder(t);
    const path = join(folder, 'config.ini');
    writeFileSync(path, Buffer.from([0x5b, 0xff, 0x5d]));
    await assert.rejects(readConfigFile(path), refusal(/config\.ini: is not UTF-8 text$/));
    await assert.rejects(readConfigFile(folder), refusal(/: cannot be read: EISDIR/));
    writeFileSync(path, '[client]\nwhat\n');
    await assert.rejects(readConfigFile(path), refusal(/config\.ini:2: /));
  });

  it('says so when the folder is not there or the path leads through a file', async (t) => {
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

  it('passes on the error of the change and frees the lock', async (t) => {
    const folder = tempFolder(t);
    const path = join(folder, 'config.ini');
    const fault = new ZeroMQConfigError('no');
    const failing = updateConfigFile(path, () => {
      throw fault;
    });
    await assert.rejects(failing, fault);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('changes made at once in one process all arrive', async (t) => {
    const path = join(tempFolder(t), 'config.ini');
    const names = Array.from({ length: 12 }, (_, index) => `option${index}`);
    await Promise.all(
      names.map((name) => updateConfigFile(path, (document) => document.with('client', name, '1'))),
    );
    assert.deepEqual((await readConfigFile(path)).optionNames('client').sort(), names.sort());
  });
});
